"""Two texts of several lines, as lines that go and lines that come."""

import difflib
from collections.abc import Sequence

_MOST_LINES = 80


def text_diff(before: str, after: str) -> Sequence[str]:
    """Lines that begin with `-`, `+` or a space, three of context; the first 80 of them."""
    lines = [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")
        if not line.startswith(("---", "+++"))
    ]
    left = len(lines) - _MOST_LINES
    if left <= 0:
        return lines
    return [*lines[:_MOST_LINES], f"@@ {left} more lines: pulumi preview --diff shows them @@"]
