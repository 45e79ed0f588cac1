"""What a check has found."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something does."""

    OK = "ok"
    WARNING = "warning"
    """It works, and somebody should look at it."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be looked at, which is no better than failed for who relies on it."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    check: str
    """Which check found it, as `--json` and the documentation name it."""
    subject: str
    """What it is about: `stack`, `Vault`, or `cluster <name>`."""
    state: State
    seen: str
    """What was seen, and how; a sentence on a single line."""
    fix: str | None = None
    """What to do, on a single line; None where nothing is to be done."""

    @property
    def is_bad(self) -> bool:
        """Whether the command has to end with an exit code of its own for it."""
        return self.state in (State.FAILED, State.UNKNOWN)
