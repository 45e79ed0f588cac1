"""Shows which tool is being prepared, at which step, and for how long."""

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

# Where there is no terminal to redraw, as in CI: often enough to see that it goes on.
_HEARTBEAT_SECONDS = 15


class Activity:
    """One tool's preparation: a live line on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, subject: str) -> None:
        self._console = console
        self._subject = subject
        self._step = ""
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._teller = threading.Thread(target=self._tell, daemon=True)
        self._status = Status("", console=console) if console.is_terminal else None

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._began

    def step(self, description: str) -> None:
        """Says what is being done now."""
        self._step = description

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        self._teller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._teller.join()
        if self._status:
            self._status.stop()

    def _tell(self) -> None:
        interval = 0.5 if self._status else _HEARTBEAT_SECONDS
        while not self._ended.wait(interval):
            line = f"{self._subject}: {self._step} ({self.seconds:.0f} s)"
            if self._status:
                self._status.update(line)
            else:
                self._console.print(line, highlight=False)
