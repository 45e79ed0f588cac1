"""Values of the stack's configuration, by their kind."""

from collections.abc import Collection, Mapping
from typing import Any

import pulumi

from components import InvalidInputError
from components.validation import require_whole_number


def structure(config: pulumi.Config, key: str) -> Any:
    """A list or an object, None when the key is absent; as it is where it is neither."""
    try:
        return config.get_object(key)
    except pulumi.ConfigTypeError:
        return config.get(key)


def require_fields(field: str, entry: object, fields: Collection[str]) -> Mapping[str, Any]:
    """Returns `entry`, an object that has some of `fields` and no others.

    Raises:
        InvalidInputError: it is anything else.
    """
    if not isinstance(entry, Mapping):
        raise InvalidInputError(field, entry, f"give it the fields {', '.join(fields)}")
    for key in entry:
        if key not in fields:
            raise InvalidInputError(field, key, f"known are {', '.join(fields)}")
    return entry


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
    return require_whole_number(key, default if value is None else value, minimum=1, unit=unit)
