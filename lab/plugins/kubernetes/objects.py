"""Kubernetes objects as plain nested values: reading them, naming them, changing a copy."""

from lab.plugins.provider.values import Properties, Unknown, Value

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"


def lookup(value: Value, *path: str) -> Value:
    """Return what lies under the keys, or None where one is missing or is no object."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: Value, *path: str) -> str:
    """Return the string under the keys, or an empty one where there is none."""
    found = lookup(value, *path)
    return found if isinstance(found, str) else ""


def whole(value: Value, *path: str) -> int | None:
    """Return the whole number under the keys, if there is one."""
    found = lookup(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def mapping(value: Value, *path: str) -> Properties:
    """Return the object under the keys, or an empty one where there is none."""
    found = lookup(value, *path)
    return found if isinstance(found, dict) else {}


def items(value: Value, *path: str) -> list[Properties]:
    """Return the objects in the list under the keys, or none where there is no list."""
    found = lookup(value, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def with_value(container: Properties, path: tuple[str, ...], value: Value) -> Properties:
    """Return a copy with the value under the keys.

    Where an unknown or another plain value stands in the way, the copy is unchanged.
    """
    key, rest = path[0], path[1:]
    if not rest:
        return {**container, key: value}
    inner = container.get(key, {})
    if not isinstance(inner, dict):
        return container
    return {**container, key: with_value(inner, rest, value)}


def without(container: Properties, path: tuple[str, ...]) -> Properties:
    """Return a copy that has nothing under the keys."""
    key, rest = path[0], path[1:]
    if not rest:
        return {name: value for name, value in container.items() if name != key}
    inner = container.get(key)
    if not isinstance(inner, dict):
        return container
    return {**container, key: without(inner, rest)}


def name_of(resource: Properties) -> str:
    """Return the object's name."""
    return text(resource, "metadata", "name")


def namespace_of(resource: Properties) -> str:
    """Return the object's namespace, empty for one that has none."""
    return text(resource, "metadata", "namespace")


def annotation(resource: Properties, key: str) -> str:
    """Return an annotation's value, empty where it is not set."""
    return text(resource, "metadata", "annotations", key)


def is_unknown_at(resource: Properties, *path: str) -> bool:
    """Tell whether the value under the keys, or an object on the way to it, is unknown."""
    return any(isinstance(lookup(resource, *path[: end + 1]), Unknown) for end in range(len(path)))


def qualified_name(resource: Properties) -> str:
    """Return the object's id in a stack: `namespace/name`, or only `name` without a namespace."""
    namespace = namespace_of(resource)
    return f"{namespace}/{name_of(resource)}" if namespace else name_of(resource)


def parse_qualified_name(resource_id: str) -> tuple[str, str]:
    """Return namespace (empty where none is given) and name of an id."""
    namespace, _, name = resource_id.rpartition("/")
    return namespace, name


def is_owned_by(resource: Properties, owner: Properties) -> bool:
    """Tell whether the owner is named in the object's owner references."""
    uid = text(owner, "metadata", "uid")
    return bool(uid) and any(
        text(reference, "uid") == uid
        for reference in items(resource, "metadata", "ownerReferences")
    )


def condition(resource: Properties, kind: str) -> Properties:
    """Return the condition of that type in the object's status, empty where there is none."""
    for found in items(resource, "status", "conditions"):
        if text(found, "type").lower() == kind.lower():
            return found
    return {}


def in_namespace(resource: Properties, namespace: str) -> Properties:
    """Return the object in that namespace, unless it names one itself."""
    if namespace_of(resource) or is_unknown_at(resource, "metadata", "namespace"):
        return resource
    return with_value(resource, ("metadata", "namespace"), namespace) if namespace else resource
