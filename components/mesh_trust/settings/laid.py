"""Fields that clusters have in common, with a cluster's own laid over them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mesh_trust import InvalidInputError

from .problems import Problems

_T = TypeVar("_T")
_D = TypeVar("_D")


@dataclass(frozen=True)
class Laid:
    """What holds for one cluster, and where each field of it stands."""

    key: str
    """The key of the configuration that has what is common."""
    common: Mapping[str, Any]
    own: Mapping[str, Any]
    place: str
    """Where the cluster is described."""
    everybody: Problems
    """Where problems of what is common are noted: they are no single cluster's."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields as they hold."""
        return {**self.common, **self.own}

    def without(self, names: Collection[str]) -> "Laid":
        """The same without those of `names` that are common only."""
        common = {name: value for name, value in self.common.items() if name not in names}
        return Laid(self.key, common, self.own, self.place, self.everybody)

    def note(self, problems: Problems, name: str, problem: InvalidInputError) -> None:
        """Notes `problem`, whose field is below this key, where the field `name` stands.

        One of the cluster's own is noted in `problems`; so is one that stands nowhere, where the
        cluster has fields of its own.
        """
        is_common = name in self.common and name not in self.own
        if is_common or (name not in self.own and not self.own):
            field = f"{self.key}.{problem.field}"
            self.everybody.note(InvalidInputError(field, problem.value, problem.fix))
            return
        field = f"{self.place}.{self.key}.{problem.field}"
        problems.note(InvalidInputError(field, problem.value, problem.fix))

    def value(
        self,
        problems: Problems,
        default: _D,
        name: str,
        read: Callable[..., _T],
        *args: Any,
    ) -> _T | _D:
        """What `read` gives for the name and the arguments; `default` where it is noted."""
        try:
            return read(name, *args)
        except InvalidInputError as problem:
            self.note(problems, name, problem)
            return default
