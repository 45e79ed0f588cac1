"""Says what a check has found of its subject."""

from dataclasses import dataclass

from mesh_trust import InvalidInputError

from .finding import Finding, State


@dataclass(frozen=True)
class About:
    """One check of one subject."""

    check: str
    subject: str

    def ok(self, seen: str) -> Finding:
        """It is well."""
        return Finding(self.check, self.subject, State.OK, seen)

    def warning(self, seen: str, fix: str) -> Finding:
        """It works, and somebody should look at it."""
        return Finding(self.check, self.subject, State.WARNING, seen, fix)

    def failed(self, seen: str, fix: str) -> Finding:
        """It is not well."""
        return Finding(self.check, self.subject, State.FAILED, seen, fix)

    def refused(self, problem: InvalidInputError | str) -> Finding:
        """What the program says of it: `field: value is not valid; what to do`."""
        seen, _, fix = str(problem).partition("; ")
        return self.failed(seen, fix)
