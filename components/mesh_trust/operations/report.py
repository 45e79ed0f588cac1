"""Findings as people and as programs read them."""

import json
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .finding import Finding, State

_STYLES = {
    State.OK: "green",
    State.WARNING: "yellow",
    State.FAILED: "bold red",
    State.UNKNOWN: "red",
}


def exit_code(findings: Sequence[Finding]) -> int:
    """0: all is well, or worth a warning; 1: something is not, or could not be looked at."""
    return int(any(each.is_bad for each in findings))


def as_json(findings: Sequence[Finding]) -> str:
    """A document: `ok`, whether all is well, and `findings`, each with the fields of Finding."""
    return json.dumps(
        {
            "ok": exit_code(findings) == 0,
            "findings": [
                {
                    "check": each.check,
                    "subject": each.subject,
                    "state": each.state.value,
                    "seen": each.seen,
                    "fix": each.fix,
                }
                for each in findings
            ],
        },
        indent=2,
    )


def print_table(findings: Sequence[Finding], seconds: float, console: Console) -> None:
    """A row for each finding, below it what to do, and at the end how many there are of a kind."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("", "check", "seen"):
        table.add_column(heading, overflow="fold")
    subject = None
    for each in findings:
        if each.subject != subject:
            subject = each.subject
            table.add_row("", Text(subject, "bold"), "")
        seen = Text(each.seen)
        if each.fix is not None:
            seen.append(f"\n→ {each.fix}", "cyan")
        table.add_row(Text(each.state.value, _STYLES[each.state]), each.check, seen)
    console.print(table)
    counts = Counter(each.state for each in findings)
    told = ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state])
    console.print(f"\n{len(findings)} findings in {seconds:.1f} s: {told or 'none'}")
