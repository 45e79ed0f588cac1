"""What a program may wait for by annotation: a condition, or a value at a path of the object."""

import re
from collections.abc import Callable

from lab.plugins.kubernetes.objects import condition, lookup, text, whole
from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Properties, Value

_CONDITION = "condition="
_JSON_PATH = "jsonpath="
_BRACED = re.compile(r"\{\s*\$?(?P<path>[^{}]*?)\s*\}(?:=(?P<value>.+))?")
_STEP = re.compile(r"""\.(?P<key>[\w-]+)|\['(?P<quoted>[^']+)'\]|\[(?P<index>\d+)\]""")


def parse_expression(written: str) -> Callable[[Properties], bool]:
    """Return a test for `condition=Type[=Status]` or `jsonpath={.path}[=value]`.

    Paths are plain: keys and indices, no filters or wildcards. Raises `ProviderError` for what
    cannot be read.
    """
    if written.startswith(_CONDITION):
        kind, _, status = written.removeprefix(_CONDITION).partition("=")
        return lambda live: _has_condition(live, kind, status or "True")
    if written.startswith(_JSON_PATH):
        braced = _BRACED.fullmatch(written.removeprefix(_JSON_PATH))
        steps = _steps(braced["path"]) if braced else None
        if braced is None or steps is None:
            raise ProviderError(
                f"cannot wait for {written!r}: the lab's own plugin knows paths of plain keys and "
                "indices, as in jsonpath={.status.addresses[0]}=value"
            )
        value = braced["value"]
        return lambda live: _has_value(live, steps, value)
    raise ProviderError(f'expected a "jsonpath=" or "condition=" prefix, got {written!r}')


def _steps(path: str) -> list[str | int] | None:
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return None
        steps.append(step["key"] or step["quoted"] or int(step["index"]))
        position = step.end()
    return steps


def _has_condition(live: Properties, kind: str, status: str) -> bool:
    found = condition(live, kind)
    observed = whole(found, "observedGeneration")
    if observed is None:
        observed = whole(live, "status", "observedGeneration")
    return text(found, "status").lower() == status.lower() and _is_current(live, observed)


def _has_value(live: Properties, steps: list[str | int], expected: str | None) -> bool:
    if not _is_current(live, whole(live, "status", "observedGeneration")):
        return False
    found: Value = live
    for step in steps:
        if isinstance(step, int):
            if not isinstance(found, list) or step >= len(found):
                return False
            found = found[step]
        elif isinstance(found, dict) and step in found:
            found = lookup(found, step)
        else:
            return False
    return expected is None or _written(found) == expected


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_current(live: Properties, observed_generation: int | None) -> bool:
    generation = whole(live, "metadata", "generation")
    return generation is None or observed_generation is None or observed_generation >= generation
