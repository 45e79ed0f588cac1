"""What differs between what should be and what is, in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cryptography import x509

from mesh_trust.readiness import on_one_line
from mesh_trust.root_checks import fingerprint

_LONGEST = 80


PUT_BACK = "put it back: `pulumi refresh`, then `pulumi up`"
"""What to do about what is not as the program left it."""


def differences(expected: Any, found: Any, path: str = "", *, closed: bool = False) -> list[str]:
    """Each difference as part of a sentence that begins with the path of the field.

    Lists of texts are compared without their order, and texts without outer spaces. `closed`: what
    `found` has beyond `expected` is a difference, too.
    """
    return list(_differences(expected, found, path, closed))


def _differences(expected: Any, found: Any, path: str, closed: bool) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name, value in expected.items():
            yield from _differences(value, found.get(name), _below(path, name), closed)
        if closed:
            for name in found.keys() - expected.keys():
                yield f"{_below(path, name)} is {_shown(found[name])}, and should not be there"
    elif _is_list_of_maps(expected) and _is_list_of_maps(found) and len(expected) == len(found):
        for place, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(one, other, f"{path}[{place}]", closed)
    elif _plain(expected) != _plain(found):
        yield f"{path} is {_shown(found)}, not {_shown(expected)}"


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_list_of_maps(value: Any) -> bool:
    return _is_list(value) and all(isinstance(each, Mapping) for each in value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if _is_list(value) and all(isinstance(each, str) for each in value):
        return sorted(each.strip() for each in value)
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "not there"
    if isinstance(value, str) and "-----BEGIN " in value:
        try:
            certificates = x509.load_pem_x509_certificates(value.encode())
        except ValueError:
            return "another text"
        return " and ".join(f"SHA-256 {fingerprint(each)}" for each in certificates)
    return on_one_line(repr(value), _LONGEST)
