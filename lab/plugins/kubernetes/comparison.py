"""Compares an object as it was last seen with new inputs, and tells what that means for it."""

from collections.abc import Sequence

from lab.plugins.kubernetes.annotations import is_autonamed
from lab.plugins.kubernetes.difference import changes
from lab.plugins.kubernetes.kinds import KubernetesKind
from lab.plugins.kubernetes.naming import is_named
from lab.plugins.kubernetes.objects import in_namespace, name_of, namespace_of, with_value, without
from lab.plugins.kubernetes.served_kind import ServedKind
from lab.plugins.kubernetes.settings import Settings
from lab.plugins.kubernetes.state import pruned, recorded
from lab.plugins.provider.provider import Difference, Kind
from lab.plugins.provider.values import Properties, reveal_properties


def compare(
    served: ServedKind,
    settings: Settings,
    old_state: Properties,
    news: Properties,
    ignore_changes: Sequence[str],
) -> Difference:
    """Compare the object, as far as its inputs speak of it, with new inputs."""
    before = recorded(old_state)
    old = without(
        pruned(before.live, served.normal(before.inputs)), ("metadata", "resourceVersion")
    )
    new = served.normal(reveal_properties(news))
    if served.is_namespaced():
        old, new = in_namespace(old, "default"), in_namespace(new, "default")
    else:
        old, new = (without(side, ("metadata", "namespace")) for side in (old, new))
    if "kind" not in old:
        old = {**old, "apiVersion": new.get("apiVersion"), "kind": new.get("kind")}
    if name_of(new):
        old = with_value(old, ("metadata", "name"), name_of(before.live))

    detailed = changes(old, new, _replacing_fields(served.kind, settings, new), ignore_changes)
    replaces = [path for path, change in detailed.items() if change.kind.replaces]
    if "metadata" in detailed and detailed["metadata"].kind is Kind.DELETE:
        replaces.append("metadata")
    return Difference(
        changes=bool(detailed),
        replaces=replaces,
        detailed=detailed,
        delete_before_replace=bool(replaces) and _keeps_its_name(before.live, new),
    )


def _replacing_fields(
    kind: KubernetesKind, settings: Settings, new: Properties
) -> tuple[tuple[str, ...], ...]:
    may_change = kind.kind in settings.mutable_content and new.get("immutable") is not True
    return kind.replacing_fields(content_may_change=may_change)


def _keeps_its_name(live: Properties, new: Properties) -> bool:
    return (
        is_named(new)
        and not is_autonamed(new)
        and name_of(new) == name_of(live)
        and namespace_of(new) == namespace_of(live)
    )
