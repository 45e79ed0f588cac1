"""Words for the user when a server refuses an object, or an object does not become ready."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab.plugins.kubernetes.cluster import ApiError, NoSuchKind, Unreachable
from lab.plugins.kubernetes.connection import Connection
from lab.plugins.kubernetes.objects import qualified_name
from lab.plugins.kubernetes.ownership import ConflictError
from lab.plugins.kubernetes.readiness import NotReady
from lab.plugins.kubernetes.redaction import redacted
from lab.plugins.provider.provider import PartialFailure, ProviderError, Reading
from lab.plugins.provider.values import Properties

IF_GONE_FOR_GOOD = (
    "If the cluster is gone for good, PULUMI_K8S_DELETE_UNREACHABLE=true takes its objects out of "
    "the state"
)
_IF_EXISTING = (
    "Import it, name the new one differently, or set upsertExistingObjects on the provider to take "
    "over what exists"
)


def update_failure(shortfall: NotReady, state: Properties, news: Properties) -> PartialFailure:
    """Return what to raise where an object did not become what an update asked for."""
    return partial_failure(
        f'the Kubernetes API server reported that "{qualified_name(shortfall.live)}" failed to '
        "fully initialize or become live",
        shortfall,
        state,
        news,
    )


def partial_failure(
    headline: str, shortfall: NotReady, state: Properties, news: Properties
) -> PartialFailure:
    """Return what to raise of an object that is there, without anything secret of its inputs."""
    first, *more = (redacted(reason, news) for reason in shortfall.reasons)
    return PartialFailure(
        qualified_name(shortfall.live), state, news, (f"{headline}: {first}", *more)
    )


def reading_of_unreachable(
    connection: Connection, resource_id: str, inputs: Properties, state: Properties
) -> Reading | None:
    """Return what counts as read where the cluster cannot be reached, as the settings have it.

    Raises `ProviderError` where they have nothing of it.
    """
    if connection.settings.delete_unreachable:
        return None
    if connection.settings.skip_update_unreachable:
        return Reading(resource_id, inputs, state)
    raise ProviderError(
        "failed to read resource state due to unreachable cluster: "
        f"{connection.unreachable_because}. {IF_GONE_FOR_GOOD}"
    )


@contextmanager
def reporting(sent: Properties, headline: str = "") -> Iterator[None]:
    """Turn a server's error into one for the user, without anything secret of what was sent."""
    try:
        yield
    except (ApiError, ConflictError, Unreachable, NoSuchKind) as error:
        message = redacted(str(error), sent)
        if isinstance(error, ApiError) and error.is_already_existing:
            message = f"{message}. {_IF_EXISTING}"
        raise ProviderError(f"{headline}: {message}" if headline else message) from error
