"""Reads an object from its server, for a refresh or an import."""

from lab.plugins.kubernetes.annotations import skips_waiting
from lab.plugins.kubernetes.cluster import ApiError, Cluster, NoSuchKind
from lab.plugins.kubernetes.kinds import KubernetesKind
from lab.plugins.kubernetes.naming import field_manager
from lab.plugins.kubernetes.objects import (
    name_of,
    namespace_of,
    parse_qualified_name,
    text,
    with_value,
    without,
)
from lab.plugins.kubernetes.readiness import fetch
from lab.plugins.kubernetes.served_kind import ServedKind
from lab.plugins.kubernetes.state import compose, mark_secrets, pruned, recorded
from lab.plugins.provider.provider import PartialFailure, Reading
from lab.plugins.provider.values import Properties, reveal_properties

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


def read_object(
    served: ServedKind,
    cluster: Cluster,
    resource_id: str,
    inputs: Properties,
    state: Properties,
) -> Reading | None:
    """Return the object as it is now; None where it, or its whole kind, is gone.

    Where neither inputs nor a state are known it is imported: its inputs are made from it.
    Raises `ApiError`, `Unreachable`, and `PartialFailure` where it is not ready as it should be.
    """
    namespace, name = parse_qualified_name(resource_id)
    before = recorded(state)
    old_inputs = served.normal(reveal_properties(inputs))
    is_import = False
    if not text(old_inputs, "kind"):
        is_import = not text(before.live, "kind")
        if is_import and served.kind.is_patch:
            return None
        old_inputs = {
            **old_inputs,
            "apiVersion": text(before.live, "apiVersion") or served.kind.api_version,
            "kind": text(before.live, "kind") or served.kind.kind,
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
    readiness = served.kind.readiness
    looks_closer = readiness is not None and readiness.on_read and not is_import
    if readiness is not None and looks_closer and not skips_waiting(old_inputs):
        observation = readiness.observe(cluster, live)
        live = observation.live
        shortcomings = None if observation.is_ready else observation.shortcomings

    live_inputs = pruned(live, old_inputs)
    if is_import:
        live_inputs = _imported(served.kind, live, live_inputs)
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


def as_it_is(cluster: Cluster, resource: Properties, refusal: Exception) -> Properties:
    """Return the object that could not be changed; where there is none, the refusal is the end."""
    try:
        return fetch(cluster, resource)
    except ApiError as error:
        raise ApiError(
            error.code, error.reason, f"{refusal}; unable to get cluster state: {error}", {}
        ) from refusal


def _imported(kind: KubernetesKind, live: Properties, identity: Properties) -> Properties:
    if not kind.is_built_in:
        return identity  # what of it is an input, only the official plugin's schema could tell
    fields = {"apiVersion", "kind", "metadata", *kind.inputs}
    imported = {key: value for key, value in live.items() if key in fields}
    for path in _NOT_IMPORTED:
        imported = without(imported, path)
    return imported
