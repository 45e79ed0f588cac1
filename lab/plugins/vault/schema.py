"""How a resource type is declared, and its values' two forms.

Inside the plugin values are plain and keyed by Vault's names (`max_lease_ttl_seconds`); the engine
sees properties (`maxLeaseTtlSeconds`), with the sensitive ones wrapped in `Secret`.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lab.plugins.provider.values import Properties, Secret, Unknown, Value, reveal

Values: TypeAlias = dict[str, Value]
"""A resource's values by field name; a missing one and None mean the same."""


class Shape(enum.Enum):
    """The type of a field."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    LIST = "list"
    SET = "set"
    MAP = "map"
    OBJECT = "object"

    @property
    def is_collection(self) -> bool:
        """Whether null and empty are told apart only by how the value came about."""
        return self in (Shape.LIST, Shape.SET, Shape.MAP)


_ZERO: Mapping[Shape, Callable[[], Value]] = {
    Shape.STRING: str,
    Shape.INTEGER: int,
    Shape.BOOLEAN: bool,
    Shape.LIST: list,
    Shape.SET: list,
    Shape.MAP: dict,
    Shape.OBJECT: dict,
}


@dataclass(frozen=True)
class Field:
    """One field of a resource type.

    A field that is neither `required` nor given by the program is taken from Vault where it is
    `computed`, and from `default` otherwise. `output` ones cannot be given at all. The official
    plugin puts the names of lists in the plural; `plural` is for those that Vault does not.
    """

    name: str
    shape: Shape = Shape.STRING
    required: bool = False
    computed: bool = False
    output: bool = False
    default: str | int | None = None
    replaces: bool = False
    secret: bool = False
    write_only: bool = False
    named_after_resource: bool = False
    plural: bool = False
    conflicts_with: Sequence[str] = ()
    required_with: str | None = None
    recorded_as: Callable[[str], str] | None = None
    """Gives the form in which the state holds a value of the program."""
    same: Callable[[str, str], bool] | None = None
    """Tells whether two different values mean the same."""
    refuse: Callable[[str, str], str | None] | None = None
    """Given the field's path and a value, gives the reason why it is not acceptable, if any."""
    fields: Sequence["Field"] = ()

    @property
    def property_name(self) -> str:
        """The field's name as a property."""
        first, *others = self.name.split("_")
        name = first + "".join(part.capitalize() for part in others)
        return f"{name}s" if self.plural else name

    @property
    def zero(self) -> Value:
        """The value that stands for none."""
        if self.shape is Shape.OBJECT:
            return {field.name: field.zero for field in self.fields}
        return _ZERO[self.shape]()


@dataclass(frozen=True)
class Schema:
    """A resource type: its token, its fields and the version of its state's form."""

    token: str
    fields: Sequence[Field]
    state_version: int = 0

    def field(self, name: str) -> Field:
        """Return the field of that name."""
        return next(field for field in self.fields if field.name == name)


def is_reserved(name: str) -> bool:
    """Tell whether a property is the engine's or the plugin's own bookkeeping."""
    return name.startswith("__")


def is_empty(value: Value) -> bool:
    """Tell whether the value is none, or one that Vault's API does not tell from none."""
    return not isinstance(value, Unknown) and not value


def to_values(fields: Sequence[Field], properties: Mapping[str, Value]) -> Values:
    """Return the properties that belong to a field, by its name and without secrets' marks."""
    values: Values = {}
    for field in fields:
        if field.property_name in properties:
            value = reveal(properties[field.property_name])
            if field.shape is Shape.OBJECT and isinstance(value, dict):
                value = to_values(field.fields, value)
            values[field.name] = value
    return values


def to_properties(fields: Sequence[Field], values: Mapping[str, Value]) -> Properties:
    """Return a property for every field, null where there is no value."""
    properties: Properties = {}
    for field in fields:
        value = values.get(field.name)
        if field.shape is Shape.OBJECT and isinstance(value, dict):
            value = to_properties(field.fields, value)
        properties[field.property_name] = Secret(value) if field.secret else value
    return properties
