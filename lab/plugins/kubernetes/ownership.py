"""Who manages which fields of an object: what server-side apply keeps in `managedFields`."""

import copy
from collections.abc import Sequence

from lab.plugins.kubernetes.difference import parse_path
from lab.plugins.kubernetes.objects import items, lookup, mapping, text, with_value, without
from lab.plugins.provider.values import Properties, Value

_APPLY, _UPDATE = "Apply", "Update"

# Writers that work on a user's behalf, as this plugin does: what they own becomes its own. A
# manager belongs to one of them if its name begins with the one here.
_TAKEN_OVER = (
    ("kubectl", _APPLY),
    ("kubectl", _UPDATE),
    ("before-first-apply", _UPDATE),
    ("pulumi-kubernetes", _UPDATE),
    ("pulumi-resource-kubernetes", _UPDATE),
)
_OWN_WRITERS = ("pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes")


class ConflictError(Exception):
    """Fields that another manager owns and wants to be different."""

    def __init__(self, refusal: Exception, field_manager: str) -> None:
        super().__init__(
            "server-side apply field conflict detected, see https://www.pulumi.com/registry/"
            "packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/"
            "#handle-field-conflicts-on-existing-resources for troubleshooting help; "
            f'The resource managed by field manager "{field_manager}" had an apply conflict: '
            f"{refusal}"
        )


def managed_fields(live: Properties) -> list[Properties]:
    """Return the object's entries of managed fields, one for each manager and operation."""
    return items(live, "metadata", "managedFields")


def is_written_without_apply(live: Properties) -> bool:
    """Tell whether this plugin, or the official one, wrote some of the object without applying."""
    return any(
        text(entry, "operation") == _UPDATE and text(entry, "manager") in _OWN_WRITERS
        for entry in managed_fields(live)
    )


def taken_over(live: Properties, field_manager: str) -> list[Value]:
    """Return JSON patch operations that make the manager the owner of its forerunners' fields.

    There are none where there is nothing to take over.
    """
    own: Properties | None = None
    others: list[Value] = []
    is_changed = False
    for entry in managed_fields(live):
        is_own = text(entry, "manager") == field_manager and text(entry, "operation") == _APPLY
        is_forerunner = not text(entry, "subresource") and any(
            text(entry, "manager").startswith(name) and text(entry, "operation") == operation
            for name, operation in _TAKEN_OVER
        )
        if not is_own and not is_forerunner:
            others.append(entry)
            continue
        is_changed = is_changed or not is_own
        own = entry if own is None else _united(own, entry)
    if own is None or not is_changed:
        return []
    own = {**own, "manager": field_manager, "operation": _APPLY}
    return [{"op": "replace", "path": "/metadata/managedFields", "value": [*others, own]}]


def leaving_ignored(
    inputs: Properties, live: Properties, field_manager: str, ignored: Sequence[str]
) -> Properties:
    """Return the inputs with the ignored fields as they are on the server.

    One that only others manage is left out, so that applying does not claim it. Paths through lists
    are beyond it; raises `ProviderError` for one that cannot be read.
    """
    for written in ignored:
        path = tuple(str(step) for step in parse_path(written))
        if _is_managed(live, path, field_manager, by_others=True) and not _is_managed(
            live, path, field_manager, by_others=False
        ):
            inputs = without(inputs, path)
            continue
        value = lookup(live, *path)
        if value is not None:
            inputs = with_value(inputs, path, copy.deepcopy(value))
    return inputs


def _united(first: Properties, second: Properties) -> Properties:
    fields = _united_fields(mapping(first, "fieldsV1"), mapping(second, "fieldsV1"))
    return {**first, "fieldsV1": fields}


def _united_fields(first: Properties, second: Properties) -> Properties:
    united = dict(first)
    for key, fields in second.items():
        united[key] = _united_fields(mapping(first, key), mapping(fields))
    return united


def _is_managed(
    live: Properties, path: tuple[str, ...], field_manager: str, *, by_others: bool
) -> bool:
    fields = tuple(f"f:{step}" for step in path)
    return any(
        lookup(entry, "fieldsV1", *fields) is not None
        for entry in managed_fields(live)
        if (text(entry, "manager") != field_manager) is by_others
    )
