"""The engine's own account of a preview: what `pulumi preview --json` prints.

Its shape is the engine's PreviewDigest (pulumi/pulumi, pkg/display/json.go).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import OperationError

STACK_TYPE = "pulumi:pulumi:Stack"
_AS_IT_IS = frozenset(("same", "read", "refresh"))
_REPLACING = frozenset(
    ("replace", "create-replacement", "delete-replaced", "import-replacement", "discard-replaced")
)
_HOW_TO = "make it with `pulumi preview --json`"


@dataclass(frozen=True)
class Step:
    """What is to happen to one resource."""

    operation: str
    """`create`, `update`, `replace`, `delete` or `import`, `same` for what stays as it is, or the
    engine's own word for anything else."""
    urn: str
    parent: str | None
    """The parent's URN; None for the stack, and where the engine has not told it."""
    is_custom: bool
    """Whether it is something in a server, and no component or stack."""
    is_protected: bool
    old: Mapping[str, Any]
    """Its inputs now; empty for one that is to be made."""
    new: Mapping[str, Any]
    """Its inputs then; empty for one that is to go."""
    old_outputs: Mapping[str, Any] = field(default_factory=dict)
    """What the server has, as the last update or this preview's refresh has seen it."""
    changed: tuple[str, ...] = ()
    """Paths of the properties that change, such as `spec.config.agentCa` or `rules[0].verbs`."""
    forcing: tuple[str, ...] = ()
    """The properties that make a replacement necessary."""

    @property
    def types(self) -> tuple[str, ...]:
        """Type tokens from its outermost component to its own."""
        return tuple(self.urn.split("::", 3)[2].split("$"))

    @property
    def type(self) -> str:
        """Its type token."""
        return self.types[-1]

    @property
    def name(self) -> str:
        """Its name in the program."""
        return self.urn.split("::", 3)[3]

    @property
    def is_change(self) -> bool:
        """Whether anything happens to it."""
        return self.operation != "same"


@dataclass(frozen=True)
class Diagnostic:
    """What the engine, or the program, has to say."""

    severity: str
    """`error`, `warning` or `info`."""
    message: str
    urn: str | None = None
    """The resource that it is about."""


@dataclass(frozen=True)
class Document:
    """One preview."""

    steps: tuple[Step, ...]
    """One for each resource, in the engine's order; what stays as it is may be left out."""
    diagnostics: tuple[Diagnostic, ...]
    clusters: tuple[str, ...]
    """Names of the clusters in the stack's configuration."""

    @property
    def stack(self) -> str | None:
        """The stack's name, where any step tells it."""
        return self.steps[0].urn.split("::", 1)[0].split(":")[-1] if self.steps else None

    @property
    def has_failed(self) -> bool:
        """Whether the engine names an error."""
        return any(each.severity == "error" for each in self.diagnostics)


def read_document(text: str, source: str) -> Document:
    """Reads what `pulumi preview --json` has printed; `source` is where it comes from.

    Raises:
        OperationError: it is something else.
    """
    try:
        digest = json.loads(text)
    except json.JSONDecodeError as error:
        raise OperationError(f"{source}: not a single JSON document ({error}); {_HOW_TO}") from None
    if not isinstance(digest, dict) or digest.keys().isdisjoint(("steps", "diagnostics")):
        raise OperationError(f"{source}: JSON, but of no preview; {_HOW_TO}")
    try:
        return Document(
            _merged([_step(each) for each in digest.get("steps", ())]),
            tuple(
                Diagnostic(
                    str(each["severity"]), str(each.get("message", "")).strip(), each.get("urn")
                )
                for each in digest.get("diagnostics", ())
            ),
            _clusters(digest.get("config", {})),
        )
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise OperationError(f"{source}: JSON, but of no preview ({error!r}); {_HOW_TO}") from None


def _step(told: Mapping[str, Any]) -> Step:
    old, new = told.get("oldState") or {}, told.get("newState") or {}
    state = new or old
    detailed = told.get("detailedDiff") or {}
    operation = told["op"]
    step = Step(
        "same" if operation in _AS_IT_IS else "replace" if operation in _REPLACING else operation,
        told["urn"],
        state.get("parent"),
        bool(state.get("custom", False)),
        bool(old.get("protect", False)),
        old.get("inputs") or {},
        new.get("inputs") or {},
        old.get("outputs") or {},
        tuple(detailed or told.get("diffReasons") or ()),
        tuple(told.get("replaceReasons") or ()),
    )
    _ = step.name
    return step


def _merged(steps: Sequence[Step]) -> tuple[Step, ...]:
    """One step for each resource: a refresh and what follows it, the two halves of a replacement.

    What happens to it last is what counts, unless that is nothing.
    """
    merged: dict[str, Step] = {}
    for each in steps:
        before = merged.get(each.urn)
        if before is None or each.is_change:
            merged[each.urn] = each
    return tuple(merged.values())


def _clusters(config: Mapping[str, str]) -> tuple[str, ...]:
    """The names in the configuration's `clusters`, where that is such a list."""
    for key, value in config.items():
        if key.endswith(":clusters"):
            try:
                listed = json.loads(value)
            except json.JSONDecodeError:
                return ()
            if isinstance(listed, list):
                return tuple(
                    str(each["name"])
                    for each in listed
                    if isinstance(each, dict) and "name" in each
                )
    return ()
