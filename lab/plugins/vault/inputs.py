"""From a program's inputs to checked ones, and from a resource as it is back to inputs.

Which fields were filled in by default is recorded beside them, in `__defaults` at every level, so
that a default that once applied is kept, and one that changes later does not change a resource.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence

from lab.plugins.provider.provider import (
    Checked,
    Failure,
    refuse_unknown_fields,
    resource_name,
)
from lab.plugins.provider.values import (
    Properties,
    Secret,
    Unknown,
    Value,
    as_secret,
    reveal,
    reveal_properties,
)
from lab.plugins.vault.schema import Field, Schema, Shape, is_empty, is_reserved

DEFAULTS = "__defaults"

_NAME_SUFFIX_DIGITS = 7


def check(schema: Schema, urn: str, olds: Properties, news: Properties) -> Checked:
    """Validate the inputs, bring them into their fields' types and fill in defaults."""
    given = {name: value for name, value in news.items() if not is_reserved(name)}
    failures = _unknown(schema.token, schema.fields, given, "")
    name = resource_name(urn)
    inputs = _complete(
        schema.fields, reveal_properties(given), reveal_properties(olds), name, failures, ""
    )
    failures += _invalid(schema.fields, inputs, name, "")
    return Checked(mark_secrets(schema.fields, inputs), failures)


def check_arguments(schema: Schema, arguments: Properties) -> Checked:
    """Validate a function's arguments; there is no record of their defaults."""
    name = schema.token.rsplit(":", 1)[-1]
    failures = _unknown(schema.token, schema.fields, arguments, "")
    given = _complete(schema.fields, reveal_properties(arguments), {}, name, failures, "")
    del given[DEFAULTS]
    return Checked(given, [*failures, *_invalid(schema.fields, given, name, "")])


def _unknown(
    token: str, fields: Sequence[Field], given: Mapping[str, Value], path: str
) -> list[Failure]:
    known = {field.property_name: field for field in fields if not field.output}
    failures = refuse_unknown_fields(token, given, frozenset(known), path)
    for name, field in known.items():
        value = reveal(given.get(name))
        if field.shape is Shape.OBJECT and isinstance(value, dict):
            nested = {key: item for key, item in value.items() if not is_reserved(key)}
            failures += _unknown(token, field.fields, nested, _join(path, name))
    return failures


def _complete(
    fields: Sequence[Field],
    given: Mapping[str, Value],
    olds: Mapping[str, Value],
    resource: str,
    failures: list[Failure],
    path: str,
) -> Properties:
    inputs: Properties = {}
    for field in fields:
        value = given.get(field.property_name)
        if value is None or field.output:
            continue
        place = _join(path, field.property_name)
        if field.shape is Shape.OBJECT and isinstance(value, dict):
            old = olds.get(field.property_name)
            inputs[field.property_name] = _complete(
                field.fields, value, old if isinstance(old, dict) else {}, resource, failures, place
            )
            continue
        try:
            inputs[field.property_name] = _coerce(field.shape, value)
        except ValueError:
            reason = f"{resource}.{place} must be of type {field.shape.value}"
            failures.append(Failure(place, reason))
    defaults = _defaults(fields, inputs, olds, resource)
    return {**inputs, **defaults, DEFAULTS: [*sorted(defaults)]}


def _defaults(
    fields: Sequence[Field], inputs: Mapping[str, Value], olds: Mapping[str, Value], resource: str
) -> Properties:
    recorded = olds.get(DEFAULTS)
    defaults: Properties = {}
    for field in fields:
        name = field.property_name
        if name in inputs or (field.default is None and not field.named_after_resource):
            continue
        if any(_conflict(field, other) and other.property_name in inputs for other in fields):
            continue
        # Without a record of defaults, as after a refresh, any old value may have been one.
        if name in olds and (not isinstance(recorded, list) or name in recorded):
            default = olds[name]
        elif field.named_after_resource:
            default = f"{resource}-{secrets.token_hex(_NAME_SUFFIX_DIGITS)[:_NAME_SUFFIX_DIGITS]}"
        else:
            # An empty default is left out: for Vault it is the same as none.
            default = field.default or None
        if default is not None:
            defaults[name] = default
    return defaults


def _conflict(one: Field, other: Field) -> bool:
    return other.name in one.conflicts_with or one.name in other.conflicts_with


def _coerce(shape: Shape, value: Value) -> Value:
    """Return the value as one of that shape; raises `ValueError` where it cannot be."""
    if isinstance(value, Unknown):
        return value
    match shape:
        case Shape.STRING if isinstance(value, bool):
            return "true" if value else "false"
        case Shape.STRING if isinstance(value, int | float):
            return str(value)
        case Shape.STRING if isinstance(value, str):
            return value
        case Shape.INTEGER if isinstance(value, int | str) and not isinstance(value, bool):
            return int(value)
        case Shape.BOOLEAN if isinstance(value, bool):
            return value
        case Shape.BOOLEAN if value in ("true", "false"):
            return value == "true"
        case Shape.LIST | Shape.SET:
            items = value if isinstance(value, list) else [value]
            return [_coerce(Shape.STRING, item) for item in items]
        case Shape.MAP if isinstance(value, dict):
            return {
                key: _coerce(Shape.STRING, item)
                for key, item in value.items()
                if item is not None and not is_reserved(key)
            }
    raise ValueError(shape)


def _invalid(
    fields: Sequence[Field], inputs: Mapping[str, Value], resource: str, path: str
) -> list[Failure]:
    failures: list[Failure] = []
    given = frozenset(field.name for field in fields if field.property_name in inputs)
    for field in fields:
        place = _join(path, field.property_name)
        value = inputs.get(field.property_name)
        failures += [
            Failure(place, f"{reason}. Examine values at '{resource}.{place}'.")
            for reason in _objections(field, value, given)
        ]
        if isinstance(value, dict):
            failures += _invalid(field.fields, value, resource, place)
    return failures


def _objections(field: Field, value: Value, given: frozenset[str]) -> Iterator[str]:
    if field.name not in given:
        if field.required:
            yield f'Missing required argument: "{field.name}" is required, but was not set'
        return
    for other in field.conflicts_with:
        if other in given:
            yield (f'Conflicting configuration arguments: "{field.name}": conflicts with {other}')
    if field.required_with and field.required_with not in given:
        yield (
            f'Missing required argument: "{field.name}": all of '
            f"`{field.name},{field.required_with}` must be specified"
        )
    reason = field.refuse(field.name, value) if field.refuse and isinstance(value, str) else None
    if reason:
        yield reason


def mark_secrets(fields: Sequence[Field], inputs: Properties) -> Properties:
    """Return the inputs with those of sensitive fields marked."""
    secret = {field.property_name for field in fields if field.secret}
    return {name: as_secret(value) if name in secret else value for name, value in inputs.items()}


def refreshed(schema: Schema, olds: Properties, properties: Properties) -> Properties:
    """Return the old inputs with the values that a refresh found; no further ones are added.

    Values that changed are no defaults any more, and an empty record of defaults is left out.
    """
    found = _refreshed_object(schema.fields, reveal_properties(olds), properties)
    return _without_conflicts(schema.fields, found)


def _refreshed_object(
    fields: Sequence[Field], olds: Mapping[str, Value], news: Mapping[str, Value]
) -> Properties:
    by_property = {field.property_name: field for field in fields}
    inputs = {
        name: _refreshed_value(by_property.get(name), old, news[name])
        for name, old in olds.items()
        if name in news and not is_reserved(name)
    }
    recorded = olds.get(DEFAULTS)
    defaults: list[Value] = [
        field.property_name
        for field in fields
        if isinstance(recorded, list)
        and field.property_name in recorded
        and _is_unchanged(field, olds.get(field.property_name), news.get(field.property_name))
    ]
    return {**inputs, DEFAULTS: sorted(defaults, key=str)} if defaults else inputs


def _is_unchanged(field: Field, old: Value, new: Value) -> bool:
    if field.recorded_as is not None and isinstance(old, str):
        return field.recorded_as(old) == new
    return old == new


def _refreshed_value(field: Field | None, old: Value, new: Value) -> Value:
    if isinstance(old, list) and isinstance(new, list):
        if field is not None and field.shape is Shape.SET:
            return [item for item in old if item in new]
        return new[: len(old)]
    if isinstance(old, dict) and isinstance(new, dict):
        nested = field.fields if field is not None else ()
        return _refreshed_object(nested, old, new)
    if field is not None and field.recorded_as and isinstance(old, str) and isinstance(new, str):
        return old
    return new


def imported(schema: Schema, properties: Properties) -> Properties:
    """Return the inputs that describe a resource of which only its state is known."""
    return _without_conflicts(schema.fields, _imported_object(schema.fields, properties))


def _imported_object(fields: Sequence[Field], properties: Mapping[str, Value]) -> Properties:
    inputs: Properties = {}
    for field in fields:
        if field.output:
            continue
        value = properties.get(field.property_name)
        if isinstance(value, dict):
            value = (
                _imported_object(field.fields, value)
                if field.shape is Shape.OBJECT
                else {**value, DEFAULTS: []}
            )
        if field.required or not _is_default(field, value):
            inputs[field.property_name] = value
    return {**inputs, DEFAULTS: []}


def _is_default(field: Field, value: Value) -> bool:
    if field.default is not None:
        return value == field.default
    if isinstance(value, Secret):
        return is_empty(value.value)
    if isinstance(value, dict):
        return not value.keys() - {DEFAULTS}
    return is_empty(value)


def _without_conflicts(fields: Sequence[Field], inputs: Properties) -> Properties:
    kept = dict(inputs)
    for field in sorted(fields, key=lambda field: field.property_name):
        if any(
            _conflict(field, other)
            and other.property_name in kept
            and other.property_name < field.property_name
            for other in fields
        ):
            kept.pop(field.property_name, None)
    return kept


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
