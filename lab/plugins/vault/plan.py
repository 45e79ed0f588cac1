"""What a resource will be like after an update, and how that differs from what it is."""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from lab.plugins.provider.provider import Change, Kind
from lab.plugins.provider.values import UNKNOWN, Unknown, Value, contains_unknown
from lab.plugins.vault.schema import Field, Shape, Values, is_empty


def plan_create(fields: Sequence[Field], config: Mapping[str, Value]) -> Values:
    """Return the values of a resource yet to be made, `UNKNOWN` where Vault decides."""
    planned: Values = {}
    for field in fields:
        value = config.get(field.name)
        if field.write_only:
            planned[field.name] = None
        elif value is None:
            planned[field.name] = UNKNOWN if field.computed or field.output else _default(field)
        elif field.shape is Shape.OBJECT and isinstance(value, dict):
            planned[field.name] = plan_create(field.fields, value)
        else:
            planned[field.name] = _recorded(field, value)
    return planned


def plan_replacement(
    fields: Sequence[Field], prior: Mapping[str, Value], config: Mapping[str, Value]
) -> Values:
    """Return the values of the resource that will take the place of the one recorded."""
    planned = plan_create(fields, config)
    return {
        field.name: _removed(field, prior.get(field.name))
        if planned[field.name] is None
        else planned[field.name]
        for field in fields
    }


def plan_update(
    fields: Sequence[Field], prior: Mapping[str, Value], config: Mapping[str, Value]
) -> Values:
    """Return the values that the resource will have; those that mean the same stay as they are."""
    return {
        field.name: _plan_field(field, prior.get(field.name), config.get(field.name))
        for field in fields
    }


def _plan_field(field: Field, prior: Value, config: Value) -> Value:
    if field.write_only:
        return None
    if field.output:
        return prior
    if config is None:
        if field.computed:
            return prior
        config = _default(field)
    if config is None:
        return _removed(field, prior)
    # False and 0 are values of their own where nothing is recorded; empty text and lists are not.
    if is_empty(config) and is_empty(prior) and not (prior is None and isinstance(config, int)):
        return prior
    if field.shape is Shape.OBJECT and isinstance(config, dict):
        return plan_update(field.fields, prior if isinstance(prior, dict) else {}, config)
    new = _recorded(field, config)
    if isinstance(new, str) and isinstance(prior, str) and field.same and field.same(prior, new):
        return prior
    return new


def _removed(field: Field, prior: Value) -> Value:
    """Return what is left of a value that the program does not give any more."""
    if is_empty(prior):
        return prior
    return field.zero if field.shape.is_collection else None


def _default(field: Field) -> Value:
    return None if field.default == "" else field.default


def is_equivalent(
    fields: Sequence[Field], one: Mapping[str, Value], other: Mapping[str, Value]
) -> bool:
    """Tell whether the values are the same but for none and empty, zero or false."""
    for field in fields:
        left, right = one.get(field.name), other.get(field.name)
        if left == right or (is_empty(left) and is_empty(right)):
            continue
        if not isinstance(left, dict) or not isinstance(right, dict):
            return False
        if not field.fields or not is_equivalent(field.fields, left, right):
            return False
    return True


def _recorded(field: Field, value: Value) -> Value:
    if field.recorded_as is not None and isinstance(value, str):
        return field.recorded_as(value)
    if field.shape is Shape.SET:
        return as_set(value)
    return value


def as_set(value: Value) -> Value:
    """Return a list as the state holds a set: sorted, each item once."""
    if not isinstance(value, list) or contains_unknown(value):
        return value
    return [*sorted({item for item in value if isinstance(item, str)})]


def changed_fields(
    fields: Sequence[Field], prior: Mapping[str, Value], planned: Mapping[str, Value]
) -> frozenset[str]:
    """Return the names of the fields whose value will differ."""
    return frozenset(
        field.name for field in fields if prior.get(field.name) != planned.get(field.name)
    )


def detail(
    fields: Sequence[Field],
    prior: Mapping[str, Value],
    planned: Mapping[str, Value],
    inputs: Mapping[str, Value],
    replacing: frozenset[str],
    path: str = "",
) -> dict[str, Change]:
    """Return each change by its property path.

    `inputs` are the program's values; items of a set are counted as they stand there.
    `replacing` names the fields whose change replaces the resource.
    """
    changes: dict[str, Change] = {}
    for field in fields:
        place = f"{path}.{field.property_name}" if path else field.property_name
        old, new = prior.get(field.name), planned.get(field.name)
        if isinstance(old, dict) and isinstance(new, dict) and field.shape is Shape.OBJECT:
            given = inputs.get(field.name)
            found = detail(
                field.fields, old, new, given if isinstance(given, dict) else {}, replacing, place
            )
        else:
            found = {
                place + suffix: Change(kind)
                for suffix, kind in _kinds(field, old, new, inputs.get(field.name)).items()
            }
        if field.name in replacing:
            found = {key: Change(change.kind.replacing()) for key, change in found.items()}
        changes.update(found)
    return changes


def _kinds(field: Field, old: Value, new: Value, given: Value) -> dict[str, Kind]:
    if old == new:
        return {}
    if old is None:
        return {"": Kind.ADD}
    if new is None:
        return {"": Kind.DELETE}
    if isinstance(old, list) and isinstance(new, list):
        if field.shape is Shape.SET:
            return _set_kinds(old, new, given)
        return _list_kinds(old, new)
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            f".{key}": Kind.ADD
            if key not in old
            else Kind.DELETE
            if key not in new
            else Kind.UPDATE
            for key in sorted(old.keys() | new.keys())
            if old.get(key) != new.get(key)
        }
    return {"": Kind.UPDATE}


def _list_kinds(old: list[Value], new: list[Value]) -> dict[str, Kind]:
    matcher = SequenceMatcher(
        None, [repr(item) for item in old], [repr(item) for item in new], autojunk=False
    )
    removed: set[int] = set()
    added: set[int] = set()
    for operation, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if operation != "equal":
            removed |= set(range(old_start, old_end))
            added |= set(range(new_start, new_end))
    return _index_kinds(removed, added)


def _set_kinds(old: list[Value], new: list[Value], given: Value) -> dict[str, Kind]:
    removed = {index for index, item in enumerate(old) if item not in new}
    additions = [item for item in new if item not in old]
    places = given if isinstance(given, list) else []
    if any(item not in places for item in additions):
        return {"": Kind.UPDATE}
    return _index_kinds(removed, {places.index(item) for item in additions})


def _index_kinds(removed: set[int], added: set[int]) -> dict[str, Kind]:
    return {
        f"[{index}]": Kind.UPDATE
        if index in removed and index in added
        else Kind.ADD
        if index in added
        else Kind.DELETE
        for index in sorted(removed | added)
    }


def settle_written(field: Field, planned: Value, found: Value) -> Value:
    """Return what the state records of a field that was just written and then found in Vault.

    Of a set it is what was asked for, as the official plugin records it.
    """
    if field.shape is Shape.SET and planned is not None and not isinstance(planned, Unknown):
        return planned
    if isinstance(planned, dict) and isinstance(found, dict) and field.fields:
        return {
            nested.name: settle_written(nested, planned.get(nested.name), found.get(nested.name))
            for nested in field.fields
        }
    return settle_read(field, planned, found)


def settle_read(field: Field, known: Value, found: Value) -> Value:
    """Return what the state records of a field found in Vault.

    Vault does not tell an empty collection from none, so there what was known stands.
    """
    if field.shape.is_collection and is_empty(known) and is_empty(found):
        return known
    return found
