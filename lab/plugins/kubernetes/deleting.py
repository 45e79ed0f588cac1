"""Deletes an object from its server, or takes a patch off one."""

from lab.plugins.kubernetes.annotations import (
    deletion_propagation,
    skips_waiting,
    timeout_seconds,
)
from lab.plugins.kubernetes.cluster import ApiError, Cluster, NoSuchKind
from lab.plugins.kubernetes.kinds import KubernetesKind
from lab.plugins.kubernetes.naming import field_manager
from lab.plugins.kubernetes.objects import (
    namespace_of,
    parse_qualified_name,
    qualified_name,
    text,
)
from lab.plugins.kubernetes.readiness import NotReady, Waiting
from lab.plugins.kubernetes.state import compose, recorded
from lab.plugins.kubernetes.writing import Writer
from lab.plugins.provider.provider import PartialFailure, ProviderError
from lab.plugins.provider.values import Properties


def withdraw_patch(writer: Writer, state: Properties) -> None:
    """Give back every field that a patch manages; what nobody else manages goes.

    Raises `ApiError`, `Unreachable`, and `ProviderError` where the object needs such a field.
    """
    try:
        writer.relinquish(recorded(state).live)
    except NoSuchKind:
        return
    except ApiError as error:
        if error.required_field is None:
            raise
        raise ProviderError(
            "this Patch resource is currently managing a required field, so it can't be deleted "
            "directly. Either set the `retainOnDelete` resource option, or transfer ownership of "
            f"the field before deleting: {error.required_field}"
        ) from error


def delete_object(
    cluster: Cluster,
    kind: KubernetesKind,
    waiting: Waiting,
    resource_id: str,
    state: Properties,
    timeout: float,
) -> None:
    """Delete the object and wait until it is gone; `timeout` is in seconds, 0 for the usual.

    Raises `ApiError`, `Unreachable`, and `PartialFailure` where it does not go in time.
    """
    before = recorded(state)
    _, name = parse_qualified_name(resource_id)
    try:
        answer = cluster.delete(
            text(before.live, "apiVersion"),
            text(before.live, "kind"),
            namespace_of(before.live),
            name,
            deletion_propagation(before.inputs),
        )
    except NoSuchKind:
        return  # its definition was deleted, and all its objects with it
    except ApiError as error:
        if error.is_not_found:
            return
        raise
    if skips_waiting(before.inputs) and kind.deletion_may_go_unawaited:
        return
    uid = text(answer, "metadata", "uid") or text(answer, "details", "uid")
    seconds = timeout_seconds(before.inputs, timeout)
    try:
        waiting.until_gone(cluster, before.live, uid, seconds)
    except NotReady as shortfall:
        last_state = compose(
            before.inputs,
            shortfall.live,
            given=state,
            initial_api_version=before.initial_api_version,
            field_manager=field_manager(state, before.inputs),
        )
        raise PartialFailure(
            qualified_name(shortfall.live), last_state, {}, shortfall.reasons
        ) from shortfall
