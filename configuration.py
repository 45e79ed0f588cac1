"""Values of the stack's configuration, by their kind."""

import pulumi

from components import InvalidInputError
from components.validation import require_whole_number


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
