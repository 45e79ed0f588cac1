"""Runs a command that is asked to end when this process is."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_BY_SIGNAL = 128
"""What shells add to a signal's number to make it an exit code."""


class PassingOn:
    """Takes the signals that end a process: the first goes on to the command, which may end in its
    own way; with the second the command is left alone."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._command: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def signals(cls) -> Iterator["PassingOn"]:
        """Takes them while what is within runs."""
        taken = cls()
        before = {number: signal.signal(number, taken._take) for number in _SIGNALS}
        try:
            yield taken
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Runs `command` to its end and gives its exit code, 128 + n where signal n has ended it.

        Raises:
            FileNotFoundError: there is no such command.
            SystemExit: it was not started, or is left alone, as this process has to end.
        """
        if self._first is not None:
            raise SystemExit(_BY_SIGNAL + self._first)
        self._command = subprocess.Popen(command, env=dict(environment))
        try:
            # One that came while the command started.
            if self._first is not None:
                self._command.send_signal(self._first)
            code = self._command.wait()
        finally:
            self._command = None
        return _BY_SIGNAL - code if code < 0 else code

    def _take(self, number: int, _: FrameType | None) -> None:
        is_first, self._first = self._first is None, number
        if self._command is None:
            return
        if not is_first:
            raise SystemExit(_BY_SIGNAL + number)
        # A terminal has sent it to both.
        if number != signal.SIGINT or not sys.stdin.isatty():
            self._command.send_signal(number)
