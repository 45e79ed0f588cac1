"""The schemas of objects, as an API server publishes them (OpenAPI 3)."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.plugins.kubernetes.objects import items, lookup, mapping, text
from lab.plugins.provider.values import Properties, Secret, Unknown, Value

_REFERENCE_PREFIX = "#/components/schemas/"
_GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"


class Schemas:
    """The schemas of one group and version."""

    def __init__(self, document: Properties) -> None:
        self._named = mapping(document, "components", "schemas")

    def of_kind(self, api_version: str, kind: str) -> "Schema | None":
        """Return the schema of a kind, or None where it has none."""
        group, _, version = api_version.rpartition("/")
        for name, described in self._named.items():
            for identity in items(described, _GROUP_VERSION_KIND):
                found = (text(identity, "group"), text(identity, "version"), text(identity, "kind"))
                if found == (group, version, kind):
                    return Schema(self, name, mapping(described))
        return None

    def resolve(self, described: Properties) -> "Schema":
        """Return the schema a description stands for, following the reference in it, if any."""
        reference = text(described, "$ref")
        if not reference:
            for part in items(described, "allOf"):
                reference = reference or text(part, "$ref")
        if not reference:
            return Schema(self, "", described)
        name = reference.removeprefix(_REFERENCE_PREFIX)
        return Schema(self, name, mapping(self._named, name))


@dataclass(frozen=True)
class Schema:
    """What one value looks like; `name` is empty for a schema that stands in its place of use."""

    _schemas: Schemas
    name: str
    _described: Properties

    @property
    def type(self) -> str:
        """The JSON type, empty where there is more than one."""
        return text(self._described, "type")

    @property
    def fields(self) -> dict[str, "Schema"]:
        """The named fields of an object; empty for a map and for an object of any shape."""
        return {
            name: self._schemas.resolve(mapping(field))
            for name, field in mapping(self._described, "properties").items()
        }

    @property
    def elements(self) -> "Schema | None":
        """The schema of a list's elements or a map's values, None for anything else."""
        described = lookup(self._described, "items") or lookup(
            self._described, "additionalProperties"
        )
        return self._schemas.resolve(described) if isinstance(described, dict) else None

    @property
    def required(self) -> frozenset[str]:
        """The fields an object cannot be without."""
        names = self._described.get("required")
        return (
            frozenset(name for name in names if isinstance(name, str))
            if isinstance(names, list)
            else frozenset()
        )

    @property
    def is_open(self) -> bool:
        """Whether an object may have fields beside the named ones."""
        return self._described.get("x-kubernetes-preserve-unknown-fields") is True or not mapping(
            self._described, "properties"
        )


def unknown_fields(schema: Schema, value: Value, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the path of each field that the schema does not have, and the fields known there.

    What is unknown in a preview is passed over.
    """
    if isinstance(value, Secret):
        value = value.value
    if isinstance(value, Unknown):
        return
    elements = schema.elements
    if isinstance(value, list) and elements is not None:
        for index, item in enumerate(value):
            yield from unknown_fields(elements, item, f"{path}[{index}]")
    elif isinstance(value, dict):
        fields = schema.fields
        for name, item in value.items():
            below = f"{path}.{name}" if path else name
            if name in fields:
                yield from unknown_fields(fields[name], item, below)
            elif elements is not None:
                yield from unknown_fields(elements, item, below)
            elif not schema.is_open:
                yield below, sorted(fields)
