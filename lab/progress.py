"""What the lab tells while it works: each process, its step, the time it has taken."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Steps:
    """A live list of processes and steps on a terminal; one line for each that is done anywhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[subject]}", markup=False),
            TextColumn("{task.description}", style="dim", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, subject: str, step: str) -> None:
        """Show what is being done for a subject, from its first step on."""
        if subject not in self._tasks:
            self._began[subject] = time.monotonic()
            self._tasks[subject] = self._progress.add_task(step, total=None, subject=subject)
        self._progress.update(self._tasks[subject], description=step)

    def finish(self, subject: str, outcome: str) -> None:
        """Say how it ended for a subject, and how long it took."""
        elapsed = time.monotonic() - self._began.pop(subject)
        self._progress.remove_task(self._tasks.pop(subject))
        told = escape(f"{subject}: {outcome}")
        self._console.print(f"{told} [dim]({elapsed:.1f} s)", highlight=False)
