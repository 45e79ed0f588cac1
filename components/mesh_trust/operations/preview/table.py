"""The summary for who reads it in a terminal, and for programs."""

import json
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .summary import Change, Summary, counts, in_words
from .text_diff import text_diff

_STYLES = {"create": "green", "update": "yellow", "replace": "bold magenta", "delete": "bold red"}
_LINES = {"+": "green", "-": "red", "@": "dim"}


def print_summary(summary: Summary, console: Console) -> None:
    """A row for each change, what changes within it below, and at the end what is touched."""
    for each in summary.diagnostics:
        message = each.message.removeprefix(f"{each.severity}: ")
        console.print(Text(f"{each.severity}: {message}", "red"))
    for violation in summary.violations:
        about = "the stack" if not violation.urn else violation.urn.rpartition("::")[2]
        console.print(Text(f"{violation.level} {violation.rule}, {about}: {violation.message}"))
    if summary.changes:
        console.print(_table(summary))
        _print_texts(summary, console)
        console.print()
    for what, changes in summary.touching.items():
        console.print(Text(f"Touches {what.value}: {in_words(changes)}", "bold red"))
    if summary.has_failed:
        console.print(Text(f"{summary.stack}: the preview failed", "bold red"))
    elif summary.is_empty:
        console.print(f"{summary.stack}: no changes")
    else:
        console.print(f"{summary.stack}: {in_words(summary.changes)}", markup=False)


def as_document(summary: Summary) -> str:
    """A document: `stack`, `failed`, `empty`, `counts`, `touches`, `changes`, `diagnostics`,
    `violations`."""
    return json.dumps(
        {
            "stack": summary.stack,
            "failed": summary.has_failed,
            "empty": summary.is_empty,
            "counts": counts(summary.changes),
            "touches": {
                what.name.lower(): [each.name for each in changes]
                for what, changes in summary.touching.items()
            },
            "changes": [_as_fields(each) for each in summary.changes],
            "diagnostics": [
                {"severity": each.severity, "message": each.message, "urn": each.urn}
                for each in summary.diagnostics
            ],
            "violations": [
                {"rule": each.rule, "level": each.level, "message": each.message, "urn": each.urn}
                for each in summary.violations
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def _table(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("", "what", "changes"):
        table.add_column(heading, overflow="fold")
    for owner in summary.owners:
        table.add_row("", Text(owner, "bold"), "")
        for each in summary.of_owner(owner):
            style = _STYLES.get(each.operation, "")
            name = Text(f"{each.kind} {each.name}", "bold" if each.touches else "")
            table.add_row(Text(each.operation, style), name, Text(_changed(each)))
    return table


def _changed(change: Change) -> str:
    return "\n".join(
        f"{each.path}: its text, below"
        if each.has_lines
        else f"{each.path}: {each.before or 'none'} → {each.after or 'none'}"
        for each in change.differences
    )


def _print_texts(summary: Summary, console: Console) -> None:
    for change in summary.changes:
        for each in change.differences:
            if each.has_lines:
                console.print(Text(f"\n{change.kind} {change.name}, {each.path}:", "bold"))
                for line in text_diff(each.before or "", each.after or ""):
                    console.print(Text(line, _LINES.get(line[:1], "")))


def _as_fields(change: Change) -> dict[str, Any]:
    return {
        "operation": change.operation,
        "kind": change.kind,
        "name": change.name,
        "owner": change.owner,
        "touches": None if change.touches is None else change.touches.name.lower(),
        "protected": change.is_protected,
        "differences": [
            {
                "path": each.path,
                "before": each.before,
                "after": each.after,
                "forcesReplacement": each.forces_replacement,
            }
            for each in change.differences
        ],
    }
