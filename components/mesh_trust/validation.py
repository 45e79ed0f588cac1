"""Refuses bad input by field, value and fix, before anything is registered."""

import re
from collections.abc import Callable, Collection
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import pulumi

_T = TypeVar("_T")

# RFC 1123 labels, as Kubernetes names are: what is safe there is safe in a Vault path too.
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

_COUNTRY = re.compile(r"[A-Z]{2}")

_SHA256_DIGITS = re.compile(r"[0-9a-f]{64}")

_PRINTABLE = re.compile(r"[!-~]+")

# Vault policies read `*` and `+` as wildcards, so neither may pass.
_VAULT_PATH = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


class InvalidInputError(pulumi.RunError, ValueError):
    """One wrong value of one field; the message is a single line with the fix.

    The engine prints that line alone, without a traceback, as it does for every RunError.
    """

    def __init__(self, field: str, value: object, fix: str) -> None:
        super().__init__(f"{field}: {value!r} is not valid; {fix}")
        self.field, self.value, self.fix = field, value, fix


class LateInputError(pulumi.RunError):
    """The same of a value that became known only while the program ran.

    It is no ValueError: the SDK puts words and a traceback around one that an Output ends with.
    """


def once_known(check: Callable[..., _T], *values: Any) -> _T:
    """What `check` gives for `values`, outputs that have just resolved.

    Raises:
        LateInputError: `check` raised an InvalidInputError.
    """
    try:
        return check(*values)
    except InvalidInputError as error:
        raise LateInputError(str(error)) from None


def checked(check: Callable[..., str], *values: pulumi.Input[str]) -> pulumi.Output[str]:
    """What `check` gives for `values`: now where all are known, else when they resolve.

    Raises:
        InvalidInputError: `check` raised it now.
        LateInputError: `check` raised an InvalidInputError later; the output ends with it.
    """
    if all(isinstance(value, str) for value in values):
        return pulumi.Output.from_input(check(*values))
    return pulumi.Output.all(*values).apply(lambda resolved: once_known(check, *resolved))


def require_dns_label(field: str, value: str) -> str:
    """Returns `value`, a lower-case RFC 1123 label of 1 to 63 characters.

    Raises:
        InvalidInputError: it is anything else, for example has an underscore or a slash.
    """
    if not isinstance(value, str) or not _DNS_LABEL.fullmatch(value):
        raise InvalidInputError(
            field,
            value,
            "use 1 to 63 lower-case letters, digits and hyphens, a letter or digit at each end",
        )
    return value


def require_common_name(field: str, value: str) -> str:
    """Returns `value`, the common name (CN) of a certificate: 1 to 64 characters.

    The limit is that of RFC 5280, ub-common-name.

    Raises:
        InvalidInputError: it is empty or longer.
    """
    if not isinstance(value, str) or not 1 <= len(value) <= 64:
        raise InvalidInputError(field, value, "use 1 to 64 characters")
    return value


def require_text(field: str, value: str | None, *, maximum: int) -> str | None:
    """Returns `value`, 1 to `maximum` characters without outer spaces, or None.

    Raises:
        InvalidInputError: it is empty, longer, or padded.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= maximum or value != value.strip():
        raise InvalidInputError(
            field, value, f"use 1 to {maximum} characters without outer spaces, or leave it out"
        )
    return value


def require_country(field: str, value: str | None) -> str | None:
    """Returns `value`, a country as two capital letters (ISO 3166-1 alpha-2), or None.

    Raises:
        InvalidInputError: it is anything else.
    """
    if value is not None and not (isinstance(value, str) and _COUNTRY.fullmatch(value)):
        raise InvalidInputError(field, value, "use two capital letters, or leave it out")
    return value


def require_fingerprint(field: str, value: str) -> str:
    """Returns `value`, a SHA-256 fingerprint, as lower-case pairs of digits between colons.

    Raises:
        InvalidInputError: it is not 32 pairs of hexadecimal digits.
    """
    digits = value.replace(":", "").lower() if isinstance(value, str) else ""
    if not _SHA256_DIGITS.fullmatch(digits):
        raise InvalidInputError(field, value, "use the 64 hexadecimal digits of a SHA-256")
    return ":".join(digits[place : place + 2] for place in range(0, 64, 2))


def require_vault_path(field: str, value: str) -> str:
    """Returns `value`, the path of a mount or the name of a role or policy, without outer slashes.

    Raises:
        InvalidInputError: it is empty, starts or ends with a slash, or could widen a policy.
    """
    if not isinstance(value, str) or not _VAULT_PATH.fullmatch(value):
        raise InvalidInputError(
            field,
            value,
            "use letters, digits, '_', '-' and '.', in segments separated by single slashes",
        )
    return value


def require_whole_number(
    field: str, value: int, *, minimum: int, maximum: int | None = None, unit: str
) -> int:
    """Returns `value`, a whole number of `unit` from `minimum` to `maximum`, where that is given.

    Raises:
        InvalidInputError: it is smaller or larger, or not a whole number.
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or value < minimum or (maximum is not None and value > maximum):
        bounds = f"{minimum} or more" if maximum is None else f"{minimum} to {maximum}"
        raise InvalidInputError(field, value, f"use a whole number of {unit}, {bounds}")
    return value


def require_one_of(field: str, value: _T, allowed: Collection[_T]) -> _T:
    """Returns `value`, one of `allowed`.

    Raises:
        InvalidInputError: it is none of them.
    """
    if value not in allowed:
        raise InvalidInputError(field, value, f"use one of {', '.join(map(str, allowed))}")
    return value


def require_server_address(field: str, value: str, *, allow_http: bool = False) -> str:
    """Returns `value`, the address of a server as scheme, host and optional port.

    Raises:
        InvalidInputError: it has no scheme or host, has a path, query, fragment or user name, or
            is plain HTTP where that is not allowed.
    """
    expected = "use an address such as https://host:8200"
    parts = _url_parts(field, value, expected)
    if parts.scheme == "http" and not allow_http:
        raise InvalidInputError(field, value, "use https; plain HTTP is for development only")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise InvalidInputError(field, value, expected)
    if parts.netloc.endswith(":") or parts.port == 0:
        raise InvalidInputError(field, value, expected)
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise InvalidInputError(field, value, "leave out everything but scheme, host and port")
    return value


def require_audience(field: str, value: str | None) -> str | None:
    """Returns `value`, the audience of a token, or None for none in particular.

    Raises:
        InvalidInputError: it is empty, or has characters that no audience has.
    """
    if value is not None and (not isinstance(value, str) or not _PRINTABLE.fullmatch(value)):
        raise InvalidInputError(field, value, "use an audience such as vault or https://issuer")
    return value


def require_https_url(field: str, value: str) -> str:
    """Returns `value`, a URL over TLS with a host, and with a path or without.

    Raises:
        InvalidInputError: it is anything else, or has a query, fragment or user name.
    """
    expected = "use a URL such as https://issuer.example.com/cluster"
    parts = _url_parts(field, value, expected)
    if parts.scheme != "https" or not parts.hostname or parts.port == 0:
        raise InvalidInputError(field, value, expected)
    if parts.query or parts.fragment or parts.username is not None:
        raise InvalidInputError(
            field, value, "leave out everything but scheme, host, port and path"
        )
    return value


def _url_parts(field: str, value: str, expected: str) -> SplitResult:
    """The parts of `value`, whose port, where there is one, is a number."""
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
        raise InvalidInputError(field, value, expected)
    try:
        parts = urlsplit(value)
        # Looked at only when it is asked for.
        _ = parts.port
    except ValueError:
        raise InvalidInputError(field, value, expected) from None
    return parts
