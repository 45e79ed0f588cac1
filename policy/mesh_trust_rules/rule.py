"""What a rule is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .resource import Resource

Settings = Mapping[str, Any]
"""Values of a rule's bounds, by name; every bound is there."""


@dataclass(frozen=True)
class Bound:
    """What can be configured of a rule."""

    name: str
    default: Any
    description: str
    minimum: float | None = None

    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        schema: dict[str, Any] = {"default": self.default, "description": self.description}
        if isinstance(self.default, list):
            return {**schema, "type": "array", "items": {"type": "string"}}
        if isinstance(self.default, str):
            return {**schema, "type": "string"}
        return {**schema, "type": "number", "minimum": self.minimum or 0}


@dataclass(frozen=True)
class Rule:
    """One rule. It is either of single resources or of the stack as a whole."""

    name: str
    description: str
    """What has to be, in a sentence."""
    of_resource: Callable[[Resource, Settings], Iterable[str]] | None = None
    """Gives a message for each fault of a resource: what is wrong, a semicolon, what to do."""
    of_stack: Callable[[Sequence[Resource], Settings], Iterable[tuple[Resource, str]]] | None = None
    """The same for all resources; each message with the resource that is at fault."""
    bounds: Sequence[Bound] = field(default=())

    def settings(self, configured: Settings) -> Settings:
        """The bounds' values: what is configured, else the defaults."""
        return {each.name: each.default for each in self.bounds} | dict(configured)
