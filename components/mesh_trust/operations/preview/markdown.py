"""The summary as Markdown, for the comment on a pull or merge request."""

from collections.abc import Sequence

from .differences import Difference
from .ownership import in_order
from .summary import OPERATIONS, Change, Summary, counts, in_words
from .text_diff import text_diff

MOST_CHARACTERS = 60_000
"""GitHub takes 65536 in a comment, and several environments may share one."""
_MOST_OF_A_VALUE = 200
_HEAVY = ("replace", "delete")


def as_markdown(summary: Summary, most_characters: int = MOST_CHARACTERS) -> str:
    """The summary, of at most `most_characters`: what is not of the trust itself gives way."""
    trust = [each for each in summary.changes if each.touches is not None]
    for detailed in (summary.changes, trust, ()):
        text = _rendered(summary, detailed)
        if len(text) <= most_characters:
            return text
    note = "\n\n… and more: `pulumi preview --diff` shows all of it.\n"
    return text[: most_characters - len(note)] + note


def _rendered(summary: Summary, detailed: Sequence[Change]) -> str:
    if summary.is_empty and not (summary.diagnostics or summary.violations):
        return f"### `{summary.stack}`: no changes\n"
    blocks = [_heading(summary), *_diagnostics(summary), *_violations(summary)]
    blocks += _loudly(summary)
    if summary.changes:
        blocks.append(_table(summary))
    if summary.provider_changes and not summary.is_empty:
        number = summary.provider_changes
        blocks.append(
            f"_Beside them {number} connection{'s' * (number > 1)} or grouping"
            f"{'s' * (number > 1)} of the program, which {'are' if number > 1 else 'is'} in no "
            "server._"
        )
    blocks += [_details(owner, summary.of_owner(owner), detailed) for owner in summary.owners]
    return "\n\n".join(blocks) + "\n"


def _heading(summary: Summary) -> str:
    if summary.has_failed:
        return f"### `{summary.stack}`: the preview **failed**"
    told = (
        in_words(summary.changes) if summary.changes or summary.provider_changes else "no changes"
    )
    return f"### `{summary.stack}`: {told}"


def _diagnostics(summary: Summary) -> list[str]:
    if not summary.diagnostics:
        return []
    lines = []
    for each in summary.diagnostics:
        # The engine repeats the severity in front of its message.
        message = each.message.removeprefix(f"{each.severity}: ")
        about = "" if each.urn is None else f" ({each.urn.rpartition('::')[2]})"
        lines.append(f"{each.severity}{about}: {message}")
    return [_fenced("text", lines)]


def _violations(summary: Summary) -> list[str]:
    if not summary.violations:
        return []
    lines = ["**Rules that are broken**", ""]
    for each in summary.violations:
        about = "the stack" if not each.urn else f"`{each.urn.rpartition('::')[2]}`"
        message = " ".join(each.message.split())
        lines.append(f"- {each.level}, `{each.rule}`, {about}: {_plain(message)}")
    return ["\n".join(lines)]


def _loudly(summary: Summary) -> list[str]:
    lines = []
    for what, changes in summary.touching.items():
        lines.append(f"> **Touches {what.value}**: {in_words(changes)}")
        existing = [each for each in changes if each.operation != "create"]
        lines += [f"> - {_told(each)} ({each.owner})" for each in existing]
        lines += _created([each for each in changes if each.operation == "create"])
        lines.append(">")
    blocks = []
    if lines:
        blocks.append("\n".join(["> [!CAUTION]", *lines[:-1]]))
    heavy = [
        each
        for operation in _HEAVY
        for each in summary.with_operation(operation)
        if each.touches is None
    ]
    if heavy:
        listed = [f"> - {_told(each)} ({each.owner})" for each in heavy]
        blocks.append("\n".join(["> [!WARNING]", "> **Replaced or deleted besides**", *listed]))
    return blocks


def _created(changes: Sequence[Change]) -> list[str]:
    """A line for each owner: what is new is new as a whole."""
    return [
        f"> - create for {owner}: "
        + ", ".join(f"{each.kind} `{each.name}`" for each in changes if each.owner == owner)
        for owner in in_order(each.owner for each in changes)
    ]


def _table(summary: Summary) -> str:
    others = sorted({each.operation for each in summary.changes} - set(OPERATIONS))
    columns = [*OPERATIONS, *others]
    rows = [f"| | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    for owner in summary.owners:
        counted = counts(summary.of_owner(owner))
        cells = [
            f"**{counted[each]}**"
            if each in _HEAVY and each in counted
            else str(counted.get(each, ""))
            for each in columns
        ]
        rows.append(f"| {owner} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _details(owner: str, changes: Sequence[Change], detailed: Sequence[Change]) -> str:
    blocks = [f"<details><summary>{owner}: {in_words(changes)}</summary>"]
    for each in changes:
        blocks.append(f"{_told(each)}")
        if each in detailed:
            blocks += _differences(each.differences)
    return "\n\n".join([*blocks, "</details>"])


def _differences(found: Sequence[Difference]) -> list[str]:
    rows = []
    blocks = []
    for each in found:
        name = f"`{_cell(each.path)}`" + (" (forces the replacement)" * each.forces_replacement)
        if each.has_lines:
            lines = text_diff(each.before or "", each.after or "")
            blocks.append(f"{name}\n\n{_fenced('diff', lines)}")
        else:
            rows.append(f"| {name} | {_value(each.before)} | {_value(each.after)} |")
    if rows:
        blocks.insert(0, "\n".join(["| property | now | then |", "|---|---|---|", *rows]))
    return blocks


def _told(change: Change) -> str:
    operation = f"**{change.operation}**" if change.operation in _HEAVY else change.operation
    protected = ", protected" * change.is_protected
    return f"{operation} {change.kind} `{change.name}`{protected}"


def _value(value: str | None) -> str:
    if value is None:
        return ""
    cut = value if len(value) <= _MOST_OF_A_VALUE else f"{value[:_MOST_OF_A_VALUE]}…"
    return f"`{_cell(cut)}`"


def _cell(text: str) -> str:
    """`text` within a table's cell and between backticks, neither of which it can end."""
    return text.replace("`", "'").replace("|", "\\|").replace("\n", " ")


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("@", "@\u200b")


def _fenced(language: str, lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
