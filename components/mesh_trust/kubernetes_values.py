"""What Kubernetes takes for names, labels and keys, and references to its objects."""

import re
from collections.abc import Mapping
from typing import TypedDict

import pulumi

from .structures import fields_of, known_or_later
from .validation import InvalidInputError, require_dns_label

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_OBJECT_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_OBJECT_NAME_LENGTH = 253

_QUALIFIED_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DATA_KEY = re.compile(r"[-._A-Za-z0-9]{1,253}")


class ObjectReference(TypedDict):
    """A Secret or a service account: where it is, and what it is called."""

    name: pulumi.Input[str]
    """Name of the object, an RFC 1123 subdomain (Gloo: `name`)."""
    namespace: pulumi.Input[str]
    """Namespace of the object, an RFC 1123 label (Gloo: `namespace`)."""


def object_reference(field: str, value: object) -> dict[str, pulumi.Input[str]]:
    """The reference `value`, an ObjectReference, as Gloo's resources have it.

    Raises:
        InvalidInputError: name or namespace is missing or not usable.
    """
    given = fields_of(field, value, ObjectReference)
    return {
        "name": known_or_later(require_object_name, f"{field}.name", given["name"]),
        "namespace": known_or_later(require_dns_label, f"{field}.namespace", given["namespace"]),
    }


def require_object_name(field: str, value: str) -> str:
    """Returns `value`, an RFC 1123 subdomain of 1 to 253 characters.

    Raises:
        InvalidInputError: it is anything else.
    """
    if not isinstance(value, str) or not _is_object_name(value):
        raise InvalidInputError(
            field, value, "use lower-case letters, digits, hyphens and dots, as Kubernetes does"
        )
    return value


def require_data_key(field: str, value: str) -> str:
    """Returns `value`, a key among the data of a Secret.

    Raises:
        InvalidInputError: it is anything else.
    """
    if not isinstance(value, str) or not _DATA_KEY.fullmatch(value):
        raise InvalidInputError(field, value, "use letters, digits, '-', '_' and '.'")
    return value


def require_labels(field: str, value: Mapping[str, str]) -> dict[str, str]:
    """Returns `value`, labels of an object by their keys.

    Raises:
        InvalidInputError: no object can have such labels.
    """
    if not isinstance(value, Mapping):
        raise InvalidInputError(field, value, "give labels, each a key and a value")
    for key, label in value.items():
        if not _is_label_key(key) or not (label == "" or _is_qualified_name(label)):
            raise InvalidInputError(
                field,
                {key: label},
                "use keys and values of 63 letters, digits, '-', '_' and '.' at most, with a "
                "letter or digit at each end, and before a key perhaps a domain and '/'",
            )
    return dict(value)


def _is_object_name(value: str) -> bool:
    return len(value) <= _OBJECT_NAME_LENGTH and _OBJECT_NAME.fullmatch(value) is not None


def _is_qualified_name(value: object) -> bool:
    return isinstance(value, str) and _QUALIFIED_NAME.fullmatch(value) is not None


def _is_label_key(key: object) -> bool:
    if not isinstance(key, str):
        return False
    domain, slash, name = key.rpartition("/")
    return _is_qualified_name(name) and (_is_object_name(domain) if slash else True)
