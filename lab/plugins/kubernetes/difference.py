"""Compares an object as it is with the inputs that a program now has for it."""

import re
from collections.abc import Iterator, Sequence

from lab.plugins.provider.provider import Change, Kind, ProviderError
from lab.plugins.provider.values import Properties, Unknown, Value

Path = tuple[str | int, ...]
_NEEDS_QUOTES = re.compile(r'[."\[\]]')
_STEP = re.compile(
    r"""
    (?P<plain>[^.\[\]"]+)            # a key
    | \[(?P<index>\d+)\]             # an index
    | \[(?P<any>\*)\]                # every index
    | \["(?P<quoted>(?:\\.|[^"\\])*)"\]
    """,
    re.VERBOSE,
)


def changes(
    old: Properties,
    new: Properties,
    replacing: Sequence[tuple[str, ...]],
    ignored: Sequence[str],
) -> dict[str, Change]:
    """Return what changes from the old object to the new inputs, by property path.

    Only the outermost path of something added or removed is named. A change at, above or below a
    path in `replacing` replaces the object; one at or below an `ignored` path is left out.

    Raises `ProviderError` for an ignored path that cannot be read.
    """
    ignored_paths = [parse_path(path) for path in ignored]
    return {
        format_path(path): change
        for path, change in _object((), old, new, replacing)
        if not any(_contains(ignored_path, path) for ignored_path in ignored_paths)
    }


def parse_path(written: str) -> Path:
    """Return the steps of a property path such as `spec.ports[0]["a.b"]`; `[*]` is a step `*`."""
    path: list[str | int] = []
    rest = written
    while rest:
        step = _STEP.match(rest)
        if step is None:
            raise ProviderError(f"cannot read the property path {written!r} at {rest!r}")
        if step["index"] is not None:
            path.append(int(step["index"]))
        elif step["quoted"] is not None:
            path.append(step["quoted"].replace('\\"', '"'))
        else:
            path.append(step["plain"] or "*")
        rest = rest[step.end() :].removeprefix(".")
    return tuple(path)


def format_path(path: Path) -> str:
    """Return the path as the engine writes it."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        elif _NEEDS_QUOTES.search(step):
            written += '["{}"]'.format(step.replace('"', '\\"'))
        else:
            written += f".{step}" if written else step
    return written


def _contains(outer: Path, inner: Path) -> bool:
    return len(outer) <= len(inner) and all(
        step in ("*", other) for step, other in zip(outer, inner, strict=False)
    )


_Found = tuple[Path, Change]


def _object(
    path: Path, old: Properties, new: Properties, replacing: Sequence[tuple[str, ...]]
) -> Iterator[_Found]:
    for key, value in new.items():
        here = (*path, key)
        if key in old:
            yield from _value(here, old[key], value, replacing)
        elif value is None:
            yield _change(here, Kind.DELETE, value, replacing)
        else:
            yield _change(here, Kind.ADD, value, replacing)
    for key in old:
        if key not in new:
            yield _change((*path, key), Kind.DELETE, None, replacing)


def _value(
    path: Path, old: Value, new: Value, replacing: Sequence[tuple[str, ...]]
) -> Iterator[_Found]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _object(path, old, new, replacing)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list(path, old, new, replacing)
    elif new is None and old is not None:
        yield _change(path, Kind.DELETE, new, replacing)
    elif isinstance(new, Unknown) or not _same(old, new):
        yield _change(path, Kind.UPDATE, new, replacing)


def _list(
    path: Path, old: list[Value], new: list[Value], replacing: Sequence[tuple[str, ...]]
) -> Iterator[_Found]:
    common = min(len(old), len(new))
    for index in range(common):
        yield from _value((*path, index), old[index], new[index], replacing)
    for index in range(common, len(new)):
        yield _change((*path, index), Kind.ADD, new[index], replacing)
    for index in range(common, len(old)):
        yield _change((*path, index), Kind.DELETE, None, replacing)


def _same(old: Value, new: Value) -> bool:
    # To Python True equals 1; to the server it does not.
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def _change(path: Path, kind: Kind, value: Value, replacing: Sequence[tuple[str, ...]]) -> _Found:
    of_input = kind is Kind.DELETE
    if any(_touches(path, value, replaced) for replaced in replacing):
        kind = kind.replacing()
    return path, Change(kind, of_input)


def _touches(path: Path, value: Value, replaced: tuple[str, ...]) -> bool:
    """Tell whether setting the value at the path sets something at or below the replaced path."""
    common = min(len(path), len(replaced))
    if path[:common] != replaced[:common]:
        return False
    for key in replaced[common:]:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True
