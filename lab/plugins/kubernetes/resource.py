"""The life of one object: checked, compared, created, read, updated, deleted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lab.plugins.kubernetes.annotations import (
    deletion_propagation,
    is_autonamed,
    skips_waiting,
    timeout_seconds,
)
from lab.plugins.kubernetes.cluster import ApiError, Cluster, NoSuchKind, Unreachable
from lab.plugins.kubernetes.connection import Connection
from lab.plugins.kubernetes.difference import changes
from lab.plugins.kubernetes.kinds import KubernetesKind
from lab.plugins.kubernetes.naming import field_manager, is_named, named
from lab.plugins.kubernetes.normalize import (
    normalized,
    normalized_secret,
    without_read_only_fields,
)
from lab.plugins.kubernetes.objects import (
    is_unknown_at,
    name_of,
    namespace_of,
    parse_qualified_name,
    qualified_name,
    text,
    with_value,
    without,
)
from lab.plugins.kubernetes.ownership import ConflictError
from lab.plugins.kubernetes.readiness import NotReady, fetch, readiness_for
from lab.plugins.kubernetes.redaction import redacted
from lab.plugins.kubernetes.schema import unknown_fields
from lab.plugins.kubernetes.state import compose, mark_secrets, pruned, recorded
from lab.plugins.kubernetes.writing import Writer
from lab.plugins.provider.provider import (
    Checked,
    Created,
    Difference,
    Failure,
    Kind,
    PartialFailure,
    ProviderError,
    Reading,
    ResourceType,
)
from lab.plugins.provider.values import Properties, contains_unknown, reveal_properties

_IF_GONE_FOR_GOOD = (
    "If the cluster is gone for good, PULUMI_K8S_DELETE_UNREACHABLE=true takes its objects out of "
    "the state"
)
_IF_EXISTING = (
    "Import it, name the new one differently, or set upsertExistingObjects on the provider to take "
    "over what exists"
)
# On a server's object, but neither an input nor any program's doing.
_NOT_IMPORTED = (
    ("metadata", "creationTimestamp"),
    ("metadata", "generation"),
    ("metadata", "managedFields"),
    ("metadata", "resourceVersion"),
    ("metadata", "uid"),
    ("metadata", "annotations", "deployment.kubernetes.io/revision"),
    ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"),
)


class KubernetesResource(ResourceType):
    """Objects of one kind in one cluster."""

    def __init__(self, kind: KubernetesKind, connection: Connection) -> None:
        self._kind = kind
        self._connection = connection

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        """Refuse unknown fields; give the object a name and a namespace."""
        if self._connection.cluster is None and self._connection.settings.skip_update_unreachable:
            return Checked(olds)
        with _reporting(news):
            plain = reveal_properties(news)
            failures = [*self._wrong_identity(plain), *self._unknown_fields(plain)]
            inputs = named(urn, reveal_properties(olds), self._normal(plain))
            if not namespace_of(inputs) and self._is_namespaced():
                inputs = _in_namespace(inputs, self._connection.default_namespace)
            return Checked(mark_secrets(inputs, news), failures)

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
        with _reporting(news):
            before = recorded(old_state)
            old = without(
                pruned(before.live, self._normal(before.inputs)), ("metadata", "resourceVersion")
            )
            new = self._normal(reveal_properties(news))
            if self._is_namespaced():
                old, new = _in_namespace(old, "default"), _in_namespace(new, "default")
            else:
                old, new = (without(side, ("metadata", "namespace")) for side in (old, new))
            if "kind" not in old:
                old = {**old, "apiVersion": new.get("apiVersion"), "kind": new.get("kind")}
            if name_of(new):
                old = with_value(old, ("metadata", "name"), name_of(before.live))

            detailed = changes(old, new, self._replacing_fields(new), ignore_changes)
            replaces = [path for path, change in detailed.items() if change.kind.replaces]
            if "metadata" in detailed and detailed["metadata"].kind is Kind.DELETE:
                replaces.append("metadata")
            return Difference(
                changes=bool(detailed),
                replaces=replaces,
                detailed=detailed,
                delete_before_replace=bool(replaces) and _keeps_its_name(before.live, new),
            )

    def create(self, urn: str, news: Properties, *, preview: bool, timeout: float) -> Created:
        """Create the object and wait until it is ready; one that exists already is an error."""
        if not preview:
            self._connection.reachable()
        inputs = reveal_properties(news)
        headline = f'resource "{urn}" was not successfully created by the Kubernetes API server'
        with _reporting(news, headline):
            if preview and (contains_unknown(inputs) or not self._is_served()):
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
            raise _partial_failure(
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
        settings = self._connection.settings
        cluster = self._connection.cluster
        if cluster is None:
            if settings.delete_unreachable:
                return None
            if settings.skip_update_unreachable:
                return Reading(resource_id, inputs, state)
            raise ProviderError(
                "failed to read resource state due to unreachable cluster: "
                f"{self._connection.unreachable_because}. {_IF_GONE_FOR_GOOD}"
            )
        with _reporting(inputs):
            return self._read_from(cluster, resource_id, inputs, state)

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
        with _reporting(news, f'update of resource "{urn}" failed'):
            inputs = self._normal(reveal_properties(news))
            if preview and (contains_unknown(inputs) or not self._is_served()):
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
                raise _update_failure(shortfall, state_of(shortfall.live), news) from shortfall
            except (ApiError, ConflictError) as error:
                if preview and isinstance(error, ApiError) and error.is_forbidden:
                    return news
                refused = NotReady(_as_it_is(cluster, before.live, error), (str(error),))
                raise _update_failure(refused, state_of(refused.live), news) from error
            previous_manager = field_manager(old_state, self._normal(before.inputs))
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
        """Delete the object and wait until it is gone."""
        cluster = self._connection.cluster
        if cluster is None:
            if self._connection.settings.delete_unreachable:
                return
            raise ProviderError(
                "configured Kubernetes cluster is unreachable: "
                f"{self._connection.unreachable_because}. {_IF_GONE_FOR_GOOD}"
            )
        with _reporting(state):
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
            if skips_waiting(before.inputs) and self._kind.deletion_may_go_unawaited:
                return
            uid = text(answer, "metadata", "uid") or text(answer, "details", "uid")
            seconds = timeout_seconds(before.inputs, timeout)
            try:
                self._connection.waiting.until_gone(cluster, before.live, uid, seconds)
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

    def _normal(self, inputs: Properties) -> Properties:
        if contains_unknown(inputs) or not self._kind.is_built_in:
            return without_read_only_fields(inputs)
        if self._kind.holds_secrets:
            return without_read_only_fields(normalized_secret(inputs))
        cluster = self._connection.cluster
        schema = None
        if cluster is not None:
            schema = cluster.schema(self._kind.api_version, self._kind.kind)
        return normalized(schema, inputs)

    def _wrong_identity(self, inputs: Properties) -> Iterator[Failure]:
        for field, expected in (
            ("apiVersion", self._kind.api_version),
            ("kind", self._kind.kind),
        ):
            if not is_unknown_at(inputs, field) and inputs.get(field) != expected:
                yield Failure(
                    field, f"{self._kind.token} has {field} {expected!r}, not {inputs.get(field)!r}"
                )

    def _unknown_fields(self, inputs: Properties) -> Iterator[Failure]:
        cluster = self._connection.cluster
        schema = (
            cluster.schema(self._kind.api_version, self._kind.kind) if cluster is not None else None
        )
        if schema is None:
            return  # the server refuses them in its turn
        for path, known in unknown_fields(schema, inputs):
            yield Failure(
                path,
                f"{self._kind.api_version}/{self._kind.kind} has no field {path!r}; "
                f"known there: {', '.join(known)}",
            )

    def _is_namespaced(self) -> bool:
        if self._kind.namespaced is not None:
            return self._kind.namespaced
        cluster = self._connection.cluster
        if cluster is None:
            return True
        try:
            return cluster.endpoint(self._kind.api_version, self._kind.kind).namespaced
        except NoSuchKind:
            return True  # most are; the definition may be yet to be created

    def _is_served(self) -> bool:
        cluster = self._connection.cluster
        if cluster is None:
            return False
        try:
            cluster.endpoint(self._kind.api_version, self._kind.kind)
        except NoSuchKind:
            return False
        return True

    def _writer(self, cluster: Cluster, manager: str, *, preview: bool) -> Writer:
        connection = self._connection
        return Writer(cluster, connection.settings, connection.waiting, manager, dry_run=preview)

    def _replacing_fields(self, new: Properties) -> tuple[tuple[str, ...], ...]:
        may_change = (
            self._kind.kind in self._connection.settings.mutable_content
            and new.get("immutable") is not True
        )
        return self._kind.replacing_fields(content_may_change=may_change)

    def _read_from(
        self, cluster: Cluster, resource_id: str, inputs: Properties, state: Properties
    ) -> Reading | None:
        namespace, name = parse_qualified_name(resource_id)
        before = recorded(state)
        old_inputs = self._normal(reveal_properties(inputs))
        is_import = False
        if not text(old_inputs, "kind"):
            is_import = not text(before.live, "kind")
            old_inputs = {
                **old_inputs,
                "apiVersion": text(before.live, "apiVersion") or self._kind.api_version,
                "kind": text(before.live, "kind") or self._kind.kind,
            }
            if not name_of(old_inputs):
                old_inputs = with_value(old_inputs, ("metadata", "name"), name)
            if namespace and not namespace_of(old_inputs):
                old_inputs = with_value(old_inputs, ("metadata", "namespace"), namespace)
        try:
            live = cluster.get(
                text(old_inputs, "apiVersion"),
                text(old_inputs, "kind"),
                namespace_of(old_inputs),
                name,
            )
        except NoSuchKind:
            return None
        except ApiError as error:
            if error.is_not_found:
                return None
            raise

        shortcomings: tuple[str, ...] | None = None
        readiness = self._kind.readiness
        looks_closer = readiness is not None and readiness.on_read and not is_import
        if readiness is not None and looks_closer and not skips_waiting(old_inputs):
            observation = readiness.observe(cluster, live)
            live = observation.live
            shortcomings = None if observation.is_ready else observation.shortcomings

        live_inputs = pruned(live, old_inputs)
        if is_import:
            live_inputs = self._imported(live, live_inputs)
        new_state = compose(
            live_inputs,
            live,
            given=inputs,
            initial_api_version=before.initial_api_version or text(old_inputs, "apiVersion"),
            field_manager=field_manager(state, old_inputs),
        )
        read_inputs = mark_secrets(live_inputs, inputs)
        if shortcomings is not None:
            headline = f"Resource '{name_of(live)}' was created but failed to initialize"
            raise PartialFailure(resource_id, new_state, read_inputs, (headline, *shortcomings))
        return Reading(resource_id, read_inputs, new_state)

    def _imported(self, live: Properties, identity: Properties) -> Properties:
        if not self._kind.is_built_in:
            return identity  # what of it is an input, only the official plugin's schema could tell
        fields = {"apiVersion", "kind", "metadata", *self._kind.inputs}
        imported = {key: value for key, value in live.items() if key in fields}
        for path in _NOT_IMPORTED:
            imported = without(imported, path)
        return imported


def _in_namespace(resource: Properties, namespace: str) -> Properties:
    if namespace_of(resource) or is_unknown_at(resource, "metadata", "namespace"):
        return resource
    return with_value(resource, ("metadata", "namespace"), namespace) if namespace else resource


def _keeps_its_name(live: Properties, new: Properties) -> bool:
    return (
        is_named(new)
        and not is_autonamed(new)
        and name_of(new) == name_of(live)
        and namespace_of(new) == namespace_of(live)
    )


def _hides_from_preview(error: ApiError) -> bool:
    """Tell whether the error comes of a preview's running ahead of what it depends on."""
    return (
        error.is_forbidden
        or error.is_namespace_not_found
        or error.is_already_existing
        or "does not support dry run" in str(error)
    )


def _as_it_is(cluster: Cluster, resource: Properties, refusal: Exception) -> Properties:
    """Return the object that could not be changed; where there is none, the refusal is the end."""
    try:
        return fetch(cluster, resource)
    except ApiError as error:
        raise ApiError(
            error.code, error.reason, f"{refusal}; unable to get cluster state: {error}", {}
        ) from refusal


def _update_failure(shortfall: NotReady, state: Properties, news: Properties) -> PartialFailure:
    return _partial_failure(
        f'the Kubernetes API server reported that "{qualified_name(shortfall.live)}" failed to '
        "fully initialize or become live",
        shortfall,
        state,
        news,
    )


def _partial_failure(
    headline: str, shortfall: NotReady, state: Properties, news: Properties
) -> PartialFailure:
    first, *more = (redacted(reason, news) for reason in shortfall.reasons)
    return PartialFailure(
        qualified_name(shortfall.live), state, news, (f"{headline}: {first}", *more)
    )


@contextmanager
def _reporting(sent: Properties, headline: str = "") -> Iterator[None]:
    """Turn a server's error into one for the user, without anything secret of what was sent."""
    try:
        yield
    except (ApiError, ConflictError, Unreachable, NoSuchKind) as error:
        message = redacted(str(error), sent)
        if isinstance(error, ApiError) and error.is_already_existing:
            message = f"{message}. {_IF_EXISTING}"
        raise ProviderError(f"{headline}: {message}" if headline else message) from error
