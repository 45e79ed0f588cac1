"""Property values as plain Python, and their form in the engine's protocol.

Beyond JSON's types the engine knows values that are secret and, in a preview, values that are
not known yet. On the wire both are marked inside an ordinary protobuf `Struct`: a secret is an
object with a signature, an unknown is a string reserved for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker, not a credential
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"

_UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        _UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # an array
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)


class Unknown:
    """A value that a preview cannot know yet; its one instance is `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value the engine encrypts in its state and never shows."""

    value: "Value"

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True)
class Asset:
    """Text that a program hands over as it is, as the path of a file, or as its address.

    One of the three is set. A relative path starts at the program's own folder.
    """

    text: str | None = None
    path: str | None = None
    uri: str | None = None

    def __repr__(self) -> str:
        return "Asset(...)"


Value: TypeAlias = (
    "bool | int | float | str | list[Value] | dict[str, Value] | Asset | Secret | Unknown | None"
)
Properties: TypeAlias = dict[str, Value]


class UnsupportedValue(ValueError):  # noqa: N818 - named for what it is
    """A value on the wire of a kind that is of no use where it stands, such as an archive."""


def from_struct(struct: Struct, *, with_assets: bool = False) -> Properties:
    """Return the struct as plain values, with secrets and unknowns at every level.

    Integral numbers come back as `int`. An output value becomes its value, an `UNKNOWN` where it
    has none, and a `Secret` where it is one; its dependencies are the engine's business.

    Raises `UnsupportedValue` for archives and resource references, and for assets unless they are
    asked for.
    """
    decoded = {key: _decode(value) for key, value in json_format.MessageToDict(struct).items()}
    if not with_assets and any(isinstance(part, Asset) for part in _parts(decoded)):
        raise UnsupportedValue("an asset was given where a plain value is expected")
    return decoded


def to_struct(properties: Mapping[str, Value]) -> Struct:
    """Return the properties as a struct; the inverse of `from_struct`."""
    struct = Struct()
    struct.update({key: _encode(value) for key, value in properties.items()})
    return struct


def reveal(value: Value) -> Value:
    """Return the value without any `Secret` around it or anything in it."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, list):
        return [reveal(item) for item in value]
    if isinstance(value, dict):
        return reveal_properties(value)
    return value


def reveal_properties(properties: Mapping[str, Value]) -> Properties:
    """Return the properties without any `Secret` around or in them."""
    return {key: reveal(value) for key, value in properties.items()}


def contains_unknown(value: Value) -> bool:
    """Tell whether the value, or anything in it, is unknown."""
    return any(isinstance(part, Unknown) for part in _parts(value))


def contains_secret(value: Value) -> bool:
    """Tell whether the value, or anything in it, is secret."""
    return any(isinstance(part, Secret) for part in _parts(value))


def as_secret(value: Value) -> Secret:
    """Return the value as one secret, with no further one inside."""
    return Secret(reveal(value))


def _parts(value: Value) -> Iterator[Value]:
    yield value
    if isinstance(value, Secret):
        yield from _parts(value.value)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _parts(item)


def _decode(wire: object) -> Value:
    match wire:
        case None | bool() | int():
            return wire
        case float():
            return int(wire) if wire.is_integer() else wire
        case str():
            return UNKNOWN if wire in _UNKNOWNS else wire
        case list():
            return [_decode(item) for item in wire]
        case dict():
            return _decode_object(wire)
    raise UnsupportedValue(f"cannot read a value of type {type(wire).__name__}")


def _decode_object(wire: dict[str, object]) -> Value:
    signature = wire.get(_SIGNATURE)
    if signature is None:
        return {key: _decode(item) for key, item in wire.items()}
    if signature == _SECRET:
        return as_secret(_decode(wire.get("value")))
    if signature == _OUTPUT:
        value = _decode(wire["value"]) if "value" in wire else UNKNOWN
        return as_secret(value) if wire.get("secret") else value
    if signature == _RESOURCE:
        raise UnsupportedValue("a resource was given where a plain value is expected")
    if signature == _ASSET:
        return Asset(**{key: _text(wire.get(key)) for key in ("text", "path", "uri")})
    raise UnsupportedValue("an archive was given where a plain value is expected")


def _text(wire: object) -> str | None:
    return wire if isinstance(wire, str) else None


def _encode(value: Value) -> Any:
    if isinstance(value, Secret):
        return {_SIGNATURE: _SECRET, "value": _encode(reveal(value.value))}
    if isinstance(value, Unknown):
        return _UNKNOWN_STRING
    if isinstance(value, Asset):
        given = {"text": value.text, "path": value.path, "uri": value.uri}
        return {
            _SIGNATURE: _ASSET,
            **{key: item for key, item in given.items() if item is not None},
        }
    if isinstance(value, list):
        return [_encode(item) for item in value]
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    return value
