"""The life of one object: checked, compared, created, read, updated, deleted."""

from collections.abc import Sequence

from lab.plugins.kubernetes.cluster import ApiError, Cluster
from lab.plugins.kubernetes.comparison import compare
from lab.plugins.kubernetes.connection import Connection
from lab.plugins.kubernetes.deleting import delete_object, withdraw_patch
from lab.plugins.kubernetes.kinds import KubernetesKind
from lab.plugins.kubernetes.naming import field_manager, is_named, named
from lab.plugins.kubernetes.objects import (
    in_namespace,
    namespace_of,
    qualified_name,
    text,
    without,
)
from lab.plugins.kubernetes.ownership import ConflictError
from lab.plugins.kubernetes.readiness import NotReady, readiness_for
from lab.plugins.kubernetes.reading import as_it_is, read_object
from lab.plugins.kubernetes.reporting import (
    IF_GONE_FOR_GOOD,
    partial_failure,
    reading_of_unreachable,
    reporting,
    update_failure,
)
from lab.plugins.kubernetes.served_kind import ServedKind
from lab.plugins.kubernetes.state import compose, mark_secrets, recorded
from lab.plugins.kubernetes.writing import Writer
from lab.plugins.provider.provider import (
    Checked,
    Created,
    Difference,
    ProviderError,
    Reading,
    ResourceType,
)
from lab.plugins.provider.values import Properties, contains_unknown, reveal_properties


class KubernetesResource(ResourceType):
    """Objects of one kind in one cluster."""

    def __init__(self, kind: KubernetesKind, connection: Connection) -> None:
        self._kind = kind
        self._connection = connection
        self._served = ServedKind(kind, connection.cluster)

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        """Refuse unknown fields; give the object a name and a namespace."""
        if self._connection.cluster is None and self._connection.settings.skip_update_unreachable:
            return Checked(olds)
        with reporting(news):
            plain = reveal_properties(news)
            normal = self._served.normal(plain)
            if self._kind.is_patch and not is_named(normal):
                raise ProviderError("patch resources require the `.metadata.name` field to be set")
            inputs = named(urn, reveal_properties(olds), normal)
            if not namespace_of(inputs) and self._served.is_namespaced():
                inputs = in_namespace(inputs, self._connection.default_namespace)
            return Checked(mark_secrets(inputs, news), [*self._served.failures(plain)])

    def diff(
        self,
        resource_id: str,  # noqa: ARG002
        urn: str,  # noqa: ARG002
        old_inputs: Properties,  # noqa: ARG002 - the state has them, as they were applied
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],
    ) -> Difference:
        """Compare the object as last seen, as far as its inputs speak of it, with new inputs."""
        with reporting(news):
            return compare(self._served, self._connection.settings, old_state, news, ignore_changes)

    def create(self, urn: str, news: Properties, *, preview: bool, timeout: float) -> Created:
        """Create the object and wait until it is ready; one that exists already is an error."""
        if not preview:
            self._connection.reachable()
        inputs = reveal_properties(news)
        headline = f'resource "{urn}" was not successfully created by the Kubernetes API server'
        with reporting(news, headline):
            cannot_tell = contains_unknown(inputs) or not self._served.is_served()
            if preview and (cannot_tell or self._kind.is_patch):
                return Created("", news)
            cluster = self._connection.reachable()
            readiness = readiness_for(inputs, self._kind.readiness)
            manager = field_manager({}, inputs)
            try:
                written = self._writer(cluster, manager, preview=preview).create(inputs)
            except ApiError as error:
                if preview and _hides_from_preview(error):
                    return Created("", news)
                raise

        def state_of(live: Properties) -> Properties:
            return compose(
                inputs,
                live,
                given=news,
                initial_api_version=text(inputs, "apiVersion"),
                field_manager=manager,
            )

        if preview:
            # A dry run's status is empty and would hide that it is not known yet.
            return Created("", state_of(without(written, ("status",))))
        try:
            live = self._connection.waiting.until_ready(
                cluster,
                readiness,
                inputs=inputs,
                written=written,
                custom_timeout=timeout,
            )
        except NotReady as shortfall:
            raise partial_failure(
                f'resource "{urn}" was successfully created, but the Kubernetes API server '
                "reported that it failed to fully initialize or become live",
                shortfall,
                state_of(shortfall.live),
                news,
            ) from shortfall
        return Created(qualified_name(live), state_of(live))

    def read(
        self,
        resource_id: str,
        urn: str,  # noqa: ARG002
        inputs: Properties,
        state: Properties,
    ) -> Reading | None:
        """Read the object for a refresh or, where no inputs are known, for an import."""
        cluster = self._connection.cluster
        if cluster is None:
            return reading_of_unreachable(self._connection, resource_id, inputs, state)
        with reporting(inputs):
            return read_object(self._served, cluster, resource_id, inputs, state)

    def update(
        self,
        resource_id: str,  # noqa: ARG002
        urn: str,
        old_inputs: Properties,  # noqa: ARG002 - the state has them, as they were applied
        old_state: Properties,
        news: Properties,
        *,
        preview: bool,
        timeout: float,
        ignore_changes: Sequence[str],
    ) -> Properties:
        """Apply the object on the server and wait until it is ready."""
        if not preview:
            self._connection.reachable()
        with reporting(news, f'update of resource "{urn}" failed'):
            inputs = self._served.normal(reveal_properties(news))
            if preview and (contains_unknown(inputs) or not self._served.is_served()):
                return news
            cluster = self._connection.reachable()
            readiness = readiness_for(inputs, self._kind.readiness)
            before = recorded(old_state)
            manager = field_manager(old_state, inputs)
            writer = self._writer(cluster, manager, preview=preview)

            def state_of(live: Properties) -> Properties:
                return compose(
                    inputs,
                    live,
                    given=news,
                    initial_api_version=before.initial_api_version,
                    field_manager=manager,
                )

            try:
                written = writer.update(before.live, inputs, ignore_changes)
                if preview:
                    return state_of(written)
                live = self._connection.waiting.until_ready(
                    cluster,
                    readiness,
                    inputs=inputs,
                    written=written,
                    custom_timeout=timeout,
                )
            except NotReady as shortfall:
                raise update_failure(shortfall, state_of(shortfall.live), news) from shortfall
            except (ApiError, ConflictError) as error:
                if preview and isinstance(error, ApiError) and error.is_forbidden:
                    return news
                refused = NotReady(as_it_is(cluster, before.live, error), (str(error),))
                raise update_failure(refused, state_of(refused.live), news) from error
            previous_manager = field_manager(old_state, self._served.normal(before.inputs))
            if previous_manager != manager:
                self._writer(cluster, previous_manager, preview=False).relinquish(live)
            return state_of(live)

    def delete(
        self,
        resource_id: str,
        urn: str,  # noqa: ARG002
        inputs: Properties,  # noqa: ARG002 - the state has them, as they were applied
        state: Properties,
        *,
        timeout: float,
    ) -> None:
        """Delete the object and wait until it is gone, or give a patch's fields back."""
        cluster = self._connection.cluster
        if cluster is None:
            if self._connection.settings.delete_unreachable:
                return
            raise ProviderError(
                "configured Kubernetes cluster is unreachable: "
                f"{self._connection.unreachable_because}. {IF_GONE_FOR_GOOD}"
            )
        with reporting(state):
            if self._kind.is_patch:
                manager = field_manager(state, recorded(state).inputs)
                withdraw_patch(self._writer(cluster, manager, preview=False), state)
                return
            delete_object(
                cluster, self._kind, self._connection.waiting, resource_id, state, timeout
            )

    def _writer(self, cluster: Cluster, manager: str, *, preview: bool) -> Writer:
        connection = self._connection
        return Writer(
            cluster,
            connection.settings,
            connection.waiting,
            manager,
            dry_run=preview,
            is_patch=self._kind.is_patch,
        )


def _hides_from_preview(error: ApiError) -> bool:
    """Tell whether the error comes of a preview's running ahead of what it depends on."""
    return (
        error.is_forbidden
        or error.is_namespace_not_found
        or error.is_already_existing
        or "does not support dry run" in str(error)
    )
