"""Runs checks: those of one subject one after the other, subjects side by side."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .finding import Finding, State
from .unreachable import UnreachableError

_MOST_AT_ONCE = 32

Report = Callable[[str], None]
"""Takes the name of a subject that is looked through."""


@dataclass(frozen=True)
class Check:
    """One question."""

    name: str
    """As `--json` and the documentation name it."""
    look: Callable[[], Iterable[Finding]]
    """Looks, and gives what it has found; raises UnreachableError where it cannot."""
    is_needed: bool = False
    """Whether those behind it can find nothing where it could not look or has failed."""


def run_checks(
    checks: Mapping[str, Sequence[Check]], report: Report = lambda _: None
) -> list[Finding]:
    """What `checks` find, by their subjects, in the order in which these are given.

    What cannot be looked at is a finding as well, and hides nothing of the other subjects. Every
    look has to end by itself.
    """
    if not checks:
        return []
    with ThreadPoolExecutor(min(len(checks), _MOST_AT_ONCE)) as threads:
        running = [threads.submit(_run, subject, each, report) for subject, each in checks.items()]
    return [finding for each in running for finding in each.result()]


def _run(subject: str, checks: Sequence[Check], report: Report) -> list[Finding]:
    found: list[Finding] = []
    for position, check in enumerate(checks):
        own = _looked(subject, check)
        found += own
        if check.is_needed and any(each.is_bad for each in own):
            found += [
                Finding(
                    each.name,
                    subject,
                    State.UNKNOWN,
                    f"not looked at, because of {check.name}",
                )
                for each in checks[position + 1 :]
            ]
            break
    report(subject)
    return found


def _looked(subject: str, check: Check) -> list[Finding]:
    found: list[Finding] = []
    try:
        # What is found before it goes wrong is kept.
        found.extend(check.look())
    except UnreachableError as error:
        found.append(Finding(check.name, subject, State.UNKNOWN, str(error), error.fix))
    return found
