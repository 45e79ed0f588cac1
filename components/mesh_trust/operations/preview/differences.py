"""What changes within a resource: its properties, before and after."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .document import Step
from .masking import MASK, UNKNOWN, masked

_MISSING = object()
_PART = re.compile(r'\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|\[(?P<index>\d+)\]|\.?(?P<name>[^.\[]+)')


@dataclass(frozen=True)
class Difference:
    """One property that changes, without its secrets."""

    path: str
    before: str | None
    """Its value now, as text of one or more lines; None where there is none."""
    after: str | None
    """Its value then; None where there will be none."""
    forces_replacement: bool = False

    @property
    def has_lines(self) -> bool:
        """Whether one of the values is a text of several lines, as a policy is."""
        return any("\n" in each for each in (self.before, self.after) if each is not None)


def differences(step: Step) -> tuple[Difference, ...]:
    """What changes within the resource of `step`; nothing for one that comes or goes as a whole."""
    if step.operation not in ("update", "replace"):
        return ()
    return tuple(_difference(step, path) for path in step.changed or step.forcing)


def _difference(step: Step, path: str) -> Difference:
    before, after = _value(step.old, path), _value(step.new, path)
    if before == after:
        # Changed in the server, not in the program: what the refresh has seen there.
        before = _value(step.old_outputs, path)
    top = re.split(r"[.\[]", path, maxsplit=1)[0]
    return Difference(
        path,
        _text(before, path, step),
        # What is not told is not known yet, unless it is told to have been there.
        _text(after, path, step),
        top in step.forcing or path in step.forcing,
    )


def _text(value: Any, path: str, step: Step) -> str | None:
    if value is _MISSING:
        return None
    shown = masked(value, path, step.type)
    if isinstance(shown, str):
        return shown.rstrip("\n")
    return json.dumps(shown, ensure_ascii=False)


def _value(properties: Mapping[str, Any], path: str) -> Any:
    value: Any = properties
    for part in _PART.finditer(path):
        if value in (MASK, UNKNOWN) and not isinstance(value, Mapping):
            return value
        if part["index"] is not None and isinstance(value, list):
            index = int(part["index"])
            value = value[index] if index < len(value) else _MISSING
        elif isinstance(value, Mapping):
            key = part["name"] if part["quoted"] is None else json.loads(f'"{part["quoted"]}"')
            value = value.get(key, _MISSING)
        elif not isinstance(value, str):
            return _MISSING
    return value
