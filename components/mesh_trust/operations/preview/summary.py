"""A preview, told by whose things it changes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .differences import Difference, differences
from .document import Diagnostic, Document, Step
from .masking import masked_text
from .ownership import Ownership, in_order
from .trust_touched import Touched, touched

OPERATIONS = ("create", "update", "replace", "delete")
"""Those that have a column of their own; all others count as `other`."""


@dataclass(frozen=True)
class Change:
    """What is to happen to one thing in a server."""

    operation: str
    kind: str
    """What it is, such as `Policy` or `ClusterRole`."""
    name: str
    """Its name in the program."""
    owner: str
    """`root`, `cluster <name>`, `Vault` or `stack`."""
    touches: Touched | None
    is_protected: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Violation:
    """A rule of a policy pack that is broken."""

    rule: str
    level: str
    """`mandatory`, which makes the preview fail, or `advisory`."""
    message: str
    urn: str | None


@dataclass(frozen=True)
class Summary:
    """What a reviewer has to know."""

    stack: str
    changes: tuple[Change, ...]
    """In the order of the owners, the trust's own first."""
    diagnostics: tuple[Diagnostic, ...]
    """Errors and warnings."""
    violations: tuple[Violation, ...]
    has_failed: bool
    """Whether the preview did not go through; what it would change is then not known whole."""
    provider_changes: int = 0
    """How many connections (provider resources) and components change beside them."""

    @classmethod
    def of(
        cls,
        document: Document,
        stack: str | None = None,
        violations: Sequence[Violation] = (),
        *,
        has_failed: bool = False,
    ) -> "Summary":
        """Sums up `document`."""
        ownership = Ownership(document)
        shown = [step for step in document.steps if _is_shown(step)]
        by_owner: dict[str, list[Change]] = {}
        for step in shown:
            owner = ownership.owner(step)
            by_owner.setdefault(owner, []).append(_change(step, owner))
        changed = sum(step.is_change for step in document.steps)
        return cls(
            stack or document.stack or "?",
            tuple(
                each
                for owner in in_order(by_owner)
                for each in sorted(by_owner[owner], key=_by_weight)
            ),
            tuple(
                Diagnostic(each.severity, masked_text(each.message), each.urn)
                for each in document.diagnostics
                if each.severity in ("error", "warning")
            ),
            tuple(
                Violation(each.rule, each.level, masked_text(each.message), each.urn)
                for each in violations
            ),
            has_failed or document.has_failed,
            changed - len(shown),
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.changes or self.provider_changes or self.has_failed)

    @property
    def owners(self) -> list[str]:
        """Whose things change, in order."""
        return in_order(each.owner for each in self.changes)

    @property
    def touching(self) -> Mapping[Touched, tuple[Change, ...]]:
        """The changes of what the trust rests on."""
        return {
            what: those
            for what in Touched
            if (those := tuple(each for each in self.changes if each.touches is what))
        }

    def of_owner(self, owner: str) -> tuple[Change, ...]:
        """The changes of what is `owner`'s."""
        return tuple(each for each in self.changes if each.owner == owner)

    def with_operation(self, operation: str) -> tuple[Change, ...]:
        """Those that are replaced, for example."""
        return tuple(each for each in self.changes if each.operation == operation)


def counts(changes: Iterable[Change]) -> dict[str, int]:
    """How many there are of each operation, in the order of OPERATIONS, others behind."""
    counted = Counter(each.operation for each in changes)
    known = [each for each in OPERATIONS if counted[each]]
    return {each: counted[each] for each in [*known, *sorted(counted.keys() - set(known))]}


def in_words(changes: Iterable[Change]) -> str:
    """`2 to create, 1 to delete`; `nothing` for none."""
    return ", ".join(f"{number} to {name}" for name, number in counts(changes).items()) or "nothing"


def _is_shown(step: Step) -> bool:
    return step.is_change and step.is_custom and not step.type.startswith("pulumi:providers:")


def _change(step: Step, owner: str) -> Change:
    return Change(
        step.operation,
        step.type.rpartition(":")[2],
        step.name,
        owner,
        touched(step),
        step.is_protected,
        differences(step),
    )


def _by_weight(change: Change) -> tuple[bool, int, str, str]:
    heaviest = ("replace", "delete", "update", "create")
    rank = heaviest.index(change.operation) if change.operation in heaviest else len(heaviest)
    return (change.touches is None, rank, change.kind, change.name)
