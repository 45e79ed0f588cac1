"""A resource, as a rule sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CLUSTER_TRUST = "mesh-trust:index:ClusterTrust"
ROOT_COMPONENTS = ("mesh-trust:index:RootCa", "mesh-trust:index:RootPki")
CLUSTER_CA = "mesh-trust:index:ClusterCa"
CA_COMPONENTS = (*ROOT_COMPONENTS, CLUSTER_CA)


class Unknown:
    """Stands for a value that only the update will know; no rule finds fault with it."""

    def __repr__(self) -> str:
        return "known after the update"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Resource:
    """What a program registers."""

    type: str
    """Type token, such as `vault:index/policy:Policy`."""
    name: str
    """Name in the program."""
    properties: Mapping[str, Any]
    """Inputs, or for rules over the whole stack outputs; UNKNOWN for what is not known yet."""
    urn: str = ""
    is_protected: bool = False
    parents: tuple["Resource", ...] = field(default=(), repr=False)
    """Its components from the innermost to the outermost, as far as they are known."""

    @property
    def types(self) -> tuple[str, ...]:
        """Type tokens from its outermost component to its own."""
        parts = self.urn.split("::", 3)
        return tuple(parts[2].split("$")) if len(parts) == 4 else (self.type,)

    def is_within(self, *components: str) -> bool:
        """Whether one of its components is of one of these types."""
        return not set(components).isdisjoint(self.types[:-1])

    def at(self, *path: str) -> Any:
        """The property at `path`; None where there is none, UNKNOWN where it is not known yet."""
        value: Any = self.properties
        for part in path:
            if value is UNKNOWN:
                return UNKNOWN
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def text(self, *path: str) -> str | None:
        """The text at `path`; None where there is none, or it is not known yet."""
        value = self.at(*path)
        return value if isinstance(value, str) else None

    def number(self, *path: str) -> float | None:
        """The number at `path`; None where there is none, or it is not known yet."""
        value = self.at(*path)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def texts(self, *path: str) -> tuple[str, ...]:
        """The texts of the list at `path`, as far as they are known."""
        value = self.at(*path)
        return texts(value)

    def is_unknown(self, *path: str) -> bool:
        """Whether the property at `path` is not known yet."""
        return self.at(*path) is UNKNOWN


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list, as far as they are known."""
    if not isinstance(value, list | tuple):
        return ()
    return tuple(each for each in value if isinstance(each, str))
