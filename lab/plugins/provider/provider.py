"""What a provider plugin is made of, free of the engine's wire format."""

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from lab.plugins.provider.engine_log import EngineLog
from lab.plugins.provider.values import Properties, Value


class ProviderError(Exception):
    """A request that cannot be met; its text is one line for the user, free of secrets."""


class UnknownType(ProviderError):  # noqa: N818 - named for what it is
    """A resource type or function that the plugin does not have."""

    def __init__(self, provider: str, token: str) -> None:
        super().__init__(
            f"{token} is not known to the lab's own {provider} plugin; "
            f"the official {provider} plugin is needed for it"
        )
        self.token = token


class PartialFailure(Exception):  # noqa: N818 - named for what it is
    """A resource that exists in the state given, but did not become what was asked for.

    The engine keeps `state` under `id`, reports `reasons` (one line each), and offers the
    resource for another update.
    """

    def __init__(
        self, resource_id: str, state: Properties, inputs: Properties, reasons: Sequence[str]
    ) -> None:
        super().__init__("; ".join(reasons))
        self.id = resource_id
        self.state = state
        self.inputs = inputs
        self.reasons = tuple(reasons)


@dataclass(frozen=True)
class Failure:
    """One input that was refused; `property` is empty where no single one is to blame."""

    property: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """Inputs with defaults filled in, and what was refused among them."""

    inputs: Properties
    failures: Sequence[Failure] = ()


class Kind(enum.Enum):
    """What happens to one property; the names are those of the engine's protocol."""

    ADD = "ADD"
    ADD_REPLACE = "ADD_REPLACE"
    DELETE = "DELETE"
    DELETE_REPLACE = "DELETE_REPLACE"
    UPDATE = "UPDATE"
    UPDATE_REPLACE = "UPDATE_REPLACE"

    @property
    def replaces(self) -> bool:
        """Whether the resource must be replaced for it."""
        return self.name.endswith("_REPLACE")

    def replacing(self) -> "Kind":
        """Return the same change as one that replaces the resource."""
        return self if self.replaces else Kind[f"{self.name}_REPLACE"]


@dataclass(frozen=True)
class Change:
    """One change of a property.

    `of_input` tells whether old and new value are both inputs, rather than the old one coming
    from the recorded state.
    """

    kind: Kind
    of_input: bool = False


@dataclass(frozen=True)
class Difference:
    """What an update would do.

    `detailed` is keyed by property path (`tune.maxLeaseTtl`, `policies[0]`); `replaces` and
    `stables` name top-level properties.
    """

    changes: bool
    replaces: Sequence[str] = ()
    detailed: Mapping[str, Change] = field(default_factory=dict)
    stables: Sequence[str] = ()
    delete_before_replace: bool = False


NO_DIFFERENCE = Difference(changes=False)


@dataclass(frozen=True)
class Created:
    """A new resource; in a preview `id` is empty and what is not known yet is `UNKNOWN`."""

    id: str
    state: Properties


@dataclass(frozen=True)
class Reading:
    """A resource as it really is, and the inputs that would make it so."""

    id: str
    inputs: Properties
    state: Properties


class ResourceType(ABC):
    """One type of resource.

    `inputs` are always checked ones, `state` is what was last recorded. Timeouts are in seconds,
    0 for the type's own default. In a preview nothing may be changed. Every method may raise
    `ProviderError`.
    """

    takes_assets: ClassVar[bool] = False
    """Whether a program's inputs may have assets in them; checked ones never do."""

    @abstractmethod
    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        """Validate the program's inputs and fill in defaults; `olds` are the last checked ones."""

    @abstractmethod
    def diff(
        self,
        resource_id: str,
        urn: str,
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],
    ) -> Difference:
        """Compare the recorded resource with new inputs."""

    @abstractmethod
    def create(self, urn: str, news: Properties, *, preview: bool, timeout: float) -> Created:
        """Create the resource; raises `PartialFailure` if it exists but is not as asked."""

    @abstractmethod
    def read(
        self, resource_id: str, urn: str, inputs: Properties, state: Properties
    ) -> Reading | None:
        """Read the resource for a refresh, or for an import where inputs and state are empty.

        None means that it does not exist. Raises `PartialFailure` as `create` does.
        """

    @abstractmethod
    def update(
        self,
        resource_id: str,
        urn: str,
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        *,
        preview: bool,
        timeout: float,
        ignore_changes: Sequence[str],
    ) -> Properties:
        """Change the resource in place and return its state; may raise `PartialFailure`."""

    @abstractmethod
    def delete(
        self, resource_id: str, urn: str, inputs: Properties, state: Properties, *, timeout: float
    ) -> None:
        """Delete the resource; one that is already gone is no error."""


class Provider(ABC):
    """A provider: its configuration, its resource types and its functions."""

    engine_log: EngineLog = EngineLog(None)
    """Where the user sees messages; set by whoever serves the provider to an engine."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The package's name, for example `vault`."""

    @property
    @abstractmethod
    def version(self) -> str:
        """The version of the official plugin whose place it takes, without a `v`."""

    @property
    def accepts_secrets(self) -> bool:
        """Whether secrets arrive marked as such.

        Where the official plugin does not accept them, the engine sends them in clear and marks
        by itself what comes back under the same names; answering as it does keeps that the same.
        """
        return True

    @abstractmethod
    def check_config(self, urn: str, olds: Properties, news: Properties) -> Checked:
        """Validate the provider's own inputs."""

    @abstractmethod
    def diff_config(
        self,
        urn: str,
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],
    ) -> Difference:
        """Compare the provider's recorded inputs with new ones."""

    @abstractmethod
    def configure(self, inputs: Properties) -> None:
        """Take the checked configuration; in a preview some of it may be unknown."""

    @abstractmethod
    def resource(self, token: str) -> ResourceType:
        """Return the type of that token, or raise `UnknownType`."""

    @abstractmethod
    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Call a function; raises `UnknownType` or another `ProviderError`."""

    @abstractmethod
    def cancel(self) -> None:
        """Make operations under way end soon; called from another thread."""


def resource_name(urn: str) -> str:
    """Return the resource's name in a program: the last part of its URN."""
    return urn.split("::", 3)[3]


def resource_token(urn: str) -> str:
    """Return the resource's own type: the third part of its URN, without its parents' types."""
    return urn.split("::", 3)[2].rsplit("$", 1)[-1]


def refuse_unknown_fields(
    token: str, fields: Mapping[str, Value], known: frozenset[str], path: str = ""
) -> list[Failure]:
    """Return a failure for each field that is not among the known ones.

    `path` is that of the object the fields belong to, empty for the resource itself.
    """
    return [
        Failure(
            f"{path}.{name}" if path else name,
            f"{token} has no field {name!r} in the lab's own plugin; "
            f"it knows {', '.join(sorted(known))}",
        )
        for name in sorted(fields.keys() - known)
    ]
