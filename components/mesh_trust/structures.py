"""Structures among arguments: which fields they have, and which of those exclude one another."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pulumi

from .validation import InvalidInputError, once_known


def fields_of(field: str | None, value: object, shape: Any) -> dict[str, Any]:
    """The fields that `value`, of the TypedDict `shape`, gives; None counts as not given.

    `field` names the structure; None is for the arguments themselves.

    Raises:
        InvalidInputError: it is no structure, has a field that `shape` does not know, or lacks one
            that is required.
    """
    known = ", ".join(shape.__annotations__)
    if not isinstance(value, Mapping):
        raise InvalidInputError(field or "args", value, f"give its fields: {known}")
    prefix = f"{field}." if field else ""
    for name in sorted(set(value) - set(shape.__annotations__)):
        raise InvalidInputError(f"{prefix}{name}", "…", f"leave it out; there is only {known}")
    given = {name: each for name, each in value.items() if each is not None}
    for name in sorted(shape.__required_keys__ - set(given)):
        raise InvalidInputError(f"{prefix}{name}", None, "give it")
    return given


def require_at_most_one(field: str, given: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """Returns which of the fields `names` is among those that `field` gives, or None.

    Raises:
        InvalidInputError: there are several.
    """
    found = [name for name in names if name in given]
    if len(found) > 1:
        raise InvalidInputError(field, found, f"give only one of {_listed(names)}")
    return found[0] if found else None


def require_exactly_one(field: str, given: Mapping[str, Any], names: Sequence[str]) -> str:
    """Returns which of the fields `names` is among those that `field` gives.

    Raises:
        InvalidInputError: there is none, or there are several.
    """
    found = require_at_most_one(field, given, names)
    if found is None:
        raise InvalidInputError(field, sorted(given), f"give one of {_listed(names)}")
    return found


def known_or_later(
    check: Callable[[str, str], str], field: str, value: pulumi.Input[str]
) -> pulumi.Input[str]:
    """What `check` gives for `field` and `value`: as it is where known, else an output.

    Raises:
        InvalidInputError: `check` raised it now.
        LateInputError: `check` raised an InvalidInputError later; the output ends with it.
    """
    if isinstance(value, pulumi.Output | Awaitable):
        later: pulumi.Output[str] = pulumi.Output.from_input(value)
        return later.apply(lambda known: once_known(check, field, known))
    return check(field, value)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
