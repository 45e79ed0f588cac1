"""Values of the stack's configuration, by their kind."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import pulumi
import yaml
from pulumi.runtime.config import is_config_secret

from mesh_trust import InvalidInputError
from mesh_trust.files import content_of, path_of
from mesh_trust.validation import require_dns_label, require_whole_number

from .problems import HIDDEN, Problems

LONGEST_DAYS = 36_500
"""A hundred years: dates beyond are of no use, and not all that counts with them can."""


def structure(config: pulumi.Config, key: str) -> Any:
    """A list or an object, None when the key is absent; as it is where it is neither."""
    try:
        return config.get_object(key)
    except pulumi.ConfigTypeError:
        return config.get(key)


def is_secret(config: pulumi.Config, key: str) -> bool:
    """Whether the value of `key`, or a part of it, is encrypted in the stack's configuration."""
    return is_config_secret(config.full_key(key))


def known_fields(
    field: str, entry: object, fields: Collection[str], problems: Problems
) -> Mapping[str, Any]:
    """Those of `fields` that `entry` has; notes the others, and what is no object at all."""
    if not isinstance(entry, Mapping):
        problems.note(InvalidInputError(field, entry, f"give it the fields {', '.join(fields)}"))
        return {}
    for problem in _unknown(entry, fields, field):
        problems.note(problem)
    return {key: value for key, value in entry.items() if key in fields}


def _unknown(
    entry: Mapping[Any, Any], fields: Collection[str], field: str
) -> Iterator[InvalidInputError]:
    for key in entry:
        if key not in fields:
            yield InvalidInputError(f"{field}.{key}", HIDDEN, unknown_fix(str(key), fields))


def unknown_fix(name: str, known: Collection[str], what: str = "field") -> str:
    """What to do about `name`, which is none of the `known` ones: the nearest, or all of them."""
    folded = {each.lower(): each for each in known}
    nearest = get_close_matches(name.lower(), folded, n=1)
    if nearest:
        return f"there is no such {what}: use {folded[nearest[0]]}, or leave it out"
    return f"there is no such {what}: leave it out; there are {', '.join(known)}"


def boolean(config: pulumi.Config, key: str) -> bool:
    """True or false; false when the key is absent.

    Raises:
        InvalidInputError: it is anything else.
    """
    try:
        return config.get_bool(key) or False
    except pulumi.ConfigTypeError:
        raise InvalidInputError(key, config.get(key), "use true or false") from None


def whole_number(config: pulumi.Config, key: str, default: int, unit: str = "days") -> int:
    """A whole number of `unit`, 1 or more; `default` when the key is absent.

    Raises:
        InvalidInputError: it is anything else.
    """
    try:
        value = config.get_int(key)
    except pulumi.ConfigTypeError:
        raise InvalidInputError(key, config.get(key), f"use a whole number of {unit}") from None
    maximum = LONGEST_DAYS if unit == "days" else None
    number = default if value is None else value
    return require_whole_number(key, number, minimum=1, maximum=maximum, unit=unit)


def require_boolean(field: str, value: object) -> bool:
    """Returns `value`, true or false.

    Raises:
        InvalidInputError: it is anything else.
    """
    if not isinstance(value, bool):
        raise InvalidInputError(field, value, "use true or false, without quotes")
    return value


def require_filled(field: str, value: object) -> str:
    """Returns `value`, a text that is not empty.

    Raises:
        InvalidInputError: it is anything else.
    """
    if not isinstance(value, str) or not value:
        raise InvalidInputError(field, value, "give it a text, in quotes if need be")
    return value


def require_label(field: str, value: object) -> str:
    """Returns `value`, an RFC 1123 label.

    Raises:
        InvalidInputError: it is anything else.
    """
    return require_dns_label(field, require_filled(field, value))


def as_configured(error: InvalidInputError, fields: Mapping[str, str]) -> InvalidInputError:
    """`error` of a component's argument, by the configuration's name for it.

    `fields` has the arguments by these names; what is below an argument keeps its name.
    """
    configured = {argument: field for field, argument in fields.items()}
    argument, dot, below = error.field.partition(".")
    field = f"{configured.get(argument, argument)}{dot}{below}"
    return InvalidInputError(field, error.value, error.fix)


def mapping_in(field: str, file: object, what: str) -> Mapping[str, Any]:
    """The mapping in the YAML file `file`; an empty file has an empty one.

    Raises:
        InvalidInputError: it cannot be read, or holds something else than `what`.
    """
    path = path_of(field, require_filled(field, file))
    text = content_of(field, path)
    try:
        content = yaml.safe_load(text.decode())
    except (yaml.YAMLError, ValueError):
        raise InvalidInputError(field, str(path), f"name a YAML file with {what}") from None
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise InvalidInputError(field, str(path), f"name a YAML file with {what}")
    return content
