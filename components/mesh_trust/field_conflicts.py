"""What server-side apply would have to take from others to write a patch, told before it is asked.

The kubernetes providers of a stack may be told to take over any field (`enable_patch_force`), and
no annotation of a resource says otherwise to them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_KEYS = {"containers": "name", "initContainers": "name", "env": "name", "volumeMounts": "mountPath"}
"""Lists of a pod whose elements have an owner each, and the field that tells them apart."""

Path = tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """A field that others manage, and that is to have another value than theirs."""

    field: str
    live: Any
    managers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.field} is {self.live!r}, by {' and '.join(self.managers)}"


def conflicts(live: Mapping[str, Any], patch: Mapping[str, Any], manager: str) -> list[Conflict]:
    """What of `patch` others than `manager` manage in the object `live` and have otherwise."""
    found = []
    for path, field, value, present in _leaves(patch, live, (), ""):
        managers = managers_of(live, path, manager)
        if managers and value != present:
            found.append(Conflict(field, present, managers))
    return found


def managers_of(live: Mapping[str, Any], path: Path, besides: str = "") -> tuple[str, ...]:
    """Who manages the field at `path`, given as in `managedFields`; `besides` is left out."""
    entries = live.get("metadata", {}).get("managedFields") or ()
    return tuple(
        sorted(
            {
                entry["manager"]
                for entry in entries
                if entry["manager"] != besides
                and not entry.get("subresource")
                and _has(entry.get("fieldsV1") or {}, path)
            }
        )
    )


def element(key: str, value: str) -> str:
    """The step in a path of `managedFields` to the element of a list that has `value` as `key`."""
    return f"k:{json.dumps({key: value}, separators=(',', ':'))}"


def _has(fields: Mapping[str, Any], path: Path) -> bool:
    for step in path:
        if step not in fields:
            return False
        fields = fields[step]
    return True


def _leaves(patch: Any, live: Any, path: Path, field: str) -> Iterator[tuple[Path, str, Any, Any]]:
    """The patch's values, each with its path in `managedFields`, and what is there now."""
    if isinstance(patch, Mapping):
        for name, value in patch.items():
            here = (*path, f"f:{name}")
            named = f"{field}.{name}" if field else name
            below = live.get(name) if isinstance(live, Mapping) else None
            if name in _KEYS:
                yield from _elements(value, below or [], here, named, _KEYS[name])
            else:
                yield from _leaves(value, below, here, named)
    else:
        yield path, field, patch, live


def _elements(
    patch: Any, live: Any, path: Path, field: str, key: str
) -> Iterator[tuple[Path, str, Any, Any]]:
    for each in patch:
        name = each[key]
        present = next((other for other in live if other.get(key) == name), None)
        yield from _leaves(each, present, (*path, element(key, name)), f"{field}[{name}]")
