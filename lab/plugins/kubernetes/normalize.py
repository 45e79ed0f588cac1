"""Inputs in the one form in which the server gives them back, so that they can be compared.

Programs may write one thing in many ways: a quantity of `1000m` or `1`, an empty list or none. The
official plugin passes the inputs of built-in kinds through the server's Go types; here the server's
own schemas tell the same.
"""

import base64
import binascii
from decimal import Decimal, InvalidOperation

from lab.plugins.kubernetes.objects import mapping, without
from lab.plugins.kubernetes.schema import Schema
from lab.plugins.provider.values import Properties, Value

_SET_BY_THE_SERVER = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"

# Schemas do not tell whether a number or a truth value of zero is the same as none. In the Go types
# it is, for these fields of a pod's template and of what holds it (k8s.io/api, core/v1, apps/v1).
_ZERO_IS_NONE = frozenset(
    {
        "failureThreshold",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostPort",
        "initialDelaySeconds",
        "minReadySeconds",
        "paused",
        "periodSeconds",
        "readOnly",
        "stdin",
        "stdinOnce",
        "successThreshold",
        "timeoutSeconds",
        "tty",
    }
)
# An empty string is the same as none, save for these, which tell apart "" and nothing.
_EMPTY_IS_A_VALUE = frozenset({"preemptionPolicy", "runtimeClassName", "storageClassName"})
_HOST_PATH = "io.k8s.api.core.v1.HostPathVolumeSource"

_LINE_ENDS = {ord("\r"): None, ord("\n"): None}  # all that may stand between base64 digits

_DECIMAL_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15}
_DECIMAL_SUFFIXES["E"] = 18
_BINARY_SUFFIXES = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


class _Misshapen(Exception):  # noqa: N818 - named for what it is
    """A value that is not of its schema's type; the server will say what is wrong."""


def normalized(schema: Schema | None, resource: Properties) -> Properties:
    """Return known inputs in their normal form; without a schema, only without read-only fields."""
    if schema is not None:
        try:
            resource = _object(schema, resource)
        except _Misshapen:
            return without_read_only_fields(resource)
    return without_read_only_fields(resource)


def without_read_only_fields(resource: Properties) -> Properties:
    """Return the inputs without the metadata that only the server sets."""
    for name in _SET_BY_THE_SERVER:
        resource = without(resource, ("metadata", name))
    return resource


def normalized_secret(resource: Properties) -> Properties:
    """Return a Secret with all its content in `data`, encoded as the server encodes it."""
    content = mapping(resource, "data")
    plain = mapping(resource, "stringData")
    if plain and all(isinstance(value, str) for value in plain.values()):
        encoded: Properties = {
            key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()
        }
        return {**without(resource, ("stringData",)), "data": {**content, **encoded}}
    if not content:
        return resource
    return {**resource, "data": {key: _reencoded(value) for key, value in content.items()}}


def _reencoded(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64encode(
            base64.b64decode(value.translate(_LINE_ENDS), validate=True)
        ).decode()
    except (binascii.Error, ValueError):
        return value  # the server refuses it, and says why


def _object(schema: Schema, value: Properties) -> Properties:
    fields, elements, required = schema.fields, schema.elements, schema.required
    result: Properties = {}
    for name, item in value.items():
        field = fields.get(name) or elements
        if field is None:
            result[name] = item
            continue
        normal = _value(field, item)
        if name in fields and name not in required and _is_none(schema, name, field, normal):
            continue
        result[name] = normal
    return result


def _is_none(schema: Schema, name: str, field: Schema, value: Value) -> bool:
    if value is None:
        return True
    if value == "":
        return name not in _EMPTY_IS_A_VALUE and schema.name != _HOST_PATH
    if isinstance(value, bool | int | float):
        return not value and name in _ZERO_IS_NONE
    if isinstance(value, list):
        return not value
    # An empty object of named fields is a value (`emptyDir: {}`), an empty map is not.
    return value == {} and field.elements is not None


def _value(schema: Schema, value: Value) -> Value:
    if value is None:
        return None
    if schema.name == _QUANTITY:
        return _quantity(value)
    match schema.type:
        case "object":
            if not isinstance(value, dict):
                raise _Misshapen
            return _object(schema, value)
        case "array":
            elements = schema.elements
            if not isinstance(value, list):
                raise _Misshapen
            return value if elements is None else [_value(elements, item) for item in value]
        case "string" if not isinstance(value, str):
            raise _Misshapen
        case "boolean" if not isinstance(value, bool):
            raise _Misshapen
        case "integer" if isinstance(value, bool) or not isinstance(value, int):
            raise _Misshapen
    return value


def _quantity(value: Value) -> str:
    """Return a resource quantity in the server's canonical form."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Misshapen
    written = str(value).strip()
    number = written.rstrip("KMGTPEinumk") or written
    suffix = written[len(number) :]
    if "e" in number.lower():
        return written  # an exponent stays one
    try:
        if suffix in _BINARY_SUFFIXES:
            return _binary(Decimal(number) * 2 ** _BINARY_SUFFIXES[suffix])
        return _decimal(Decimal(number).scaleb(_DECIMAL_SUFFIXES[suffix]))
    except (InvalidOperation, KeyError) as error:
        raise _Misshapen from error


def _binary(amount: Decimal) -> str:
    if amount != amount.to_integral_value() or abs(amount) < 1024:
        return _decimal(amount)
    whole, suffix = int(amount), ""
    for name in _BINARY_SUFFIXES:
        if whole % 1024:
            break
        whole, suffix = whole // 1024, name
    return f"{whole}{suffix}"


def _decimal(amount: Decimal) -> str:
    if not amount:
        return "0"
    for suffix, exponent in sorted(_DECIMAL_SUFFIXES.items(), key=lambda item: -item[1]):
        scaled = amount.scaleb(-exponent)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    raise _Misshapen
