"""What an update of a release would change, by a merge of three sides.

What the program took out of its inputs is taken away; what it now says is compared with the release
as it was last seen. What the release has beside that, as a chart's or another's doing, is left.
"""

import json
from typing import TypeAlias

from lab.plugins.kubernetes.difference import Path, format_path
from lab.plugins.kubernetes.helm.values import merged, without_unknowns
from lab.plugins.provider.provider import Change, Kind
from lab.plugins.provider.values import Properties, Unknown, Value

# A release cannot be given another name or moved to another namespace.
_REPLACING = frozenset({"name", "namespace"})


class _Missing:
    """Where there is nothing, which is not the same as a null."""


_MISSING = _Missing()
_Side: TypeAlias = "Value | _Missing"


def changes(old_inputs: Properties, news: Properties, old_state: Properties) -> dict[str, Change]:
    """Return what changes, by property path; nothing secret may be marked on any side.

    `news` may have unknowns, each of which is a change unless a null was there.
    """
    known = without_unknowns(news)
    patch = merged(_taken_away(old_inputs, known), _added_and_changed(old_state, known))
    found: dict[str, Change] = {}
    _compare_objects((), patch, old_state, news, old_inputs, found, in_list=False)
    return found


def _added_and_changed(old: Properties, new: Properties) -> Properties:
    patch: Properties = {}
    for key, value in new.items():
        before = old.get(key)
        if key in old and isinstance(before, dict) and isinstance(value, dict):
            below = _added_and_changed(before, value)
            if below:
                patch[key] = below
        elif key not in old or not _same(before, value):
            patch[key] = value
    return patch


def _taken_away(old: Properties, new: Properties) -> Properties:
    patch: Properties = {}
    for key, before in old.items():
        value = new.get(key)
        if key not in new:
            patch[key] = None
        elif isinstance(before, dict) and isinstance(value, dict):
            below = _taken_away(before, value)
            if below:
                patch[key] = below
    return patch


def _same(one: Value, other: Value) -> bool:
    # To Python True equals 1; to Helm it does not.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _compare(
    path: Path,
    patch: Value,
    old: _Side,
    new_input: _Side,
    old_input: _Side,
    found: dict[str, Change],
    *,
    in_list: bool,
) -> None:
    """Add what a patch's value changes.

    A list is patched as a whole, so in one the patch has also what stays the same, and lacks what
    goes.
    """
    if new_input is _MISSING and (patch is not None or old_input is _MISSING):
        return
    if patch is None:
        if isinstance(new_input, Unknown):
            _add(path, Kind.ADD if old is _MISSING else Kind.UPDATE, found)
        elif old is not None:
            _add(path, Kind.DELETE, found)
    elif old is _MISSING:
        _add(path, Kind.ADD, found)
    elif isinstance(patch, dict) and isinstance(old, dict):
        sides = (_object(new_input), _object(old_input))
        _compare_objects(path, patch, old, *sides, found, in_list=in_list)
    elif isinstance(patch, list) and isinstance(old, list):
        _compare_lists(path, patch, old, _list(new_input), _list(old_input), found)
    elif isinstance(old, _Missing) or not _same(patch, old):
        _add(path, Kind.UPDATE, found)


def _compare_objects(
    path: Path,
    patch: Properties,
    old: Properties,
    new_input: Properties,
    old_input: Properties,
    found: dict[str, Change],
    *,
    in_list: bool,
) -> None:
    going = [key for key in old if key not in patch] if in_list else []
    for key in (*patch, *going):
        _compare(
            (*path, key),
            patch.get(key),
            old.get(key, _MISSING),
            new_input.get(key, _MISSING),
            old_input.get(key, _MISSING),
            found,
            in_list=in_list,
        )


def _compare_lists(
    path: Path,
    patch: list[Value],
    old: list[Value],
    new_input: list[Value],
    old_input: list[Value],
    found: dict[str, Change],
) -> None:
    for index in range(max(len(patch), len(old))):
        _compare(
            (*path, index),
            _at(patch, index),
            old[index] if index < len(old) else _MISSING,
            _at(new_input, index),
            _at(old_input, index),
            found,
            in_list=True,
        )


def _add(path: Path, kind: Kind, found: dict[str, Change]) -> None:
    of_input = kind is Kind.DELETE
    if path[0] in _REPLACING:
        kind = kind.replacing()
    found[format_path(path)] = Change(kind, of_input)


def _object(side: _Side) -> Properties:
    return side if isinstance(side, dict) else {}


def _list(side: _Side) -> list[Value]:
    return side if isinstance(side, list) else []


def _at(side: list[Value], index: int) -> Value:
    return side[index] if index < len(side) else None
