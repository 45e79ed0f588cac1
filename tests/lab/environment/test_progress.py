"""What is told of a step is told as it is."""

import io

from rich.console import Console

from lab.progress import Steps


def test_what_a_step_says_is_no_markup() -> None:
    output = io.StringIO()
    with Steps(Console(file=output, force_terminal=True, color_system=None, width=80)) as steps:
        steps.begin("[/red]", "[/bold] does not answer")
        steps.finish("[/red]", "[/dim] ready")
    assert "[/bold] does not answer" in output.getvalue()
    assert "[/red]: [/dim] ready (0.0 s)" in output.getvalue()
