"""Reasons why a value of a program is not acceptable, found without asking Vault."""

import re
from collections.abc import Callable

# What Go's time.ParseDuration accepts.
_DURATION = re.compile(r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")


def outer_slashes(field: str, value: str) -> str | None:
    """Refuse an empty path, and one with a slash at either end."""
    if not value:
        return f'value "" for "{field}" cannot be empty'
    if value.startswith("/") or value.endswith("/"):
        return f'value "{value}" for "{field}" contains leading/trailing "/"'
    return None


def trailing_slash(field: str, value: str) -> str | None:
    """Refuse an empty path, and one with a slash at its end."""
    if not value or value.endswith("/"):
        return outer_slashes(field, value)
    return None


def no_duration(field: str, value: str) -> str | None:
    """Refuse what is not a duration such as `768h` or `1h30m`."""
    if _DURATION.fullmatch(value):
        return None
    return f"expected '{field}' to be a valid duration string"


def none_of(*choices: str) -> Callable[[str, str], str | None]:
    """Refuse what is not one of the choices."""

    def refuse(field: str, value: str) -> str | None:
        if value in choices:
            return None
        listed = " ".join(f'"{choice}"' for choice in choices)
        return f"expected {field} to be one of [{listed}], got {value}"

    return refuse
