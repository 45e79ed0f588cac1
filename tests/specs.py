"""Objects' specs with a change."""

import copy
from typing import Any


def with_fields(spec: dict[str, Any], *path: str | int, **fields: object) -> dict[str, Any]:
    """Copy the spec and set the fields of the object at `path`; None takes a field away."""
    changed = copy.deepcopy(spec)
    place: Any = changed
    for step in path:
        place = place[step]
    for name, value in fields.items():
        if value is None:
            del place[name]
        else:
            place[name] = value
    return changed
