"""One command, measured: wall time, processor time, memory."""

import os
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.figures import MEBIBYTE

SAMPLE_SECONDS = 0.25

PROGRAM, ENGINE, LANGUAGE_HOST, PLUGINS, COMMANDS = (
    "program",
    "engine",
    "language host",
    "plugins",
    "commands",
)
PARTS = (ENGINE, LANGUAGE_HOST, PROGRAM, PLUGINS, COMMANDS)
"""Parts of a command's tree. `commands` are those that a script runs, and its shell."""

_PLUGIN_MARKS = ("pulumi-resource-", "lab.plugins.vault", "lab.plugins.kubernetes")


class CommandFailedError(Exception):
    """What was to be measured has failed, so that its time says nothing."""


@dataclass(frozen=True)
class Usage:
    """What a command took, with all that it started.

    `processor_seconds` is exact, from the system's own account of ended processes; by part it is
    what was seen at the last sample of each process.
    """

    wall_seconds: float
    processor_seconds: float
    peak_mebibytes: float
    processor_by_part: Mapping[str, float]


def measure(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, log: Path
) -> Usage:
    """Run a command to its end; what it prints goes to `log`.

    Raises:
        CommandFailedError: it did not end well; the message has the end of the log.
    """
    with log.open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # What it starts is found by its session.
            start_new_session=True,
        )
        with _Sampler(process.pid) as sampler:
            _, status, used = os.wait4(process.pid, 0)
            wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise CommandFailedError(f"{command[0]} ended with {process.returncode}; it said:\n{end}")
    return Usage(wall, used.ru_utime + used.ru_stime, sampler.peak / MEBIBYTE, sampler.by_part())


def part_of(arguments: Sequence[str]) -> str:
    """Tell which part of the tree a process is, by its arguments."""
    executable, line = Path(arguments[0]).name if arguments else "", " ".join(arguments)
    if any(each in line for each in _PLUGIN_MARKS):
        return PLUGINS
    if "lab.plugins.language" in arguments or executable == "pulumi-language-python":
        return LANGUAGE_HOST
    if executable == "pulumi":
        return ENGINE
    # The language host runs the program with Python; nothing else in a tree is Python.
    return PROGRAM if executable.startswith("python") else COMMANDS


def servers_processor_seconds(roots: Iterable[psutil.Process]) -> float:
    """Return the processor time of these processes and all below them so far.

    Ended ones are in the account of the parent that has collected them, so that nothing is lost.
    """
    seen: dict[int, psutil.Process] = {}
    for root in roots:
        try:
            seen |= {each.pid: each for each in [root, *root.children(recursive=True)]}
        except psutil.NoSuchProcess:
            continue
    total = 0.0
    for process in seen.values():
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


@dataclass
class _Sampler:
    """Looks at the processes of a session, every quarter of a second."""

    session: int
    peak: int = 0
    """Largest sum of the proportional set sizes (PSS), bytes: shared pages count once."""
    _times: dict[int, tuple[str, float]] = field(default_factory=dict)
    _known: dict[int, tuple[psutil.Process, str]] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "_Sampler":
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        assert self._thread is not None
        self._thread.join()

    def by_part(self) -> dict[str, float]:
        """Return processor seconds by part."""
        found: dict[str, float] = {}
        for part, seconds in self._times.values():
            found[part] = found.get(part, 0.0) + seconds
        return found

    def _run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, self._sample())

    def _sample(self) -> int:
        total = 0
        for process_id in psutil.pids():
            try:
                if os.getsid(process_id) == self.session:
                    total += self._look_at(process_id)
            except (ProcessLookupError, psutil.NoSuchProcess):
                # It has ended meanwhile.
                continue
        return total

    def _look_at(self, process_id: int) -> int:
        if process_id not in self._known:
            process = psutil.Process(process_id)
            self._known[process_id] = (process, part_of(process.cmdline()))
        process, part = self._known[process_id]
        if part == COMMANDS:
            # A fork that has become what it was to run.
            part = part_of(process.cmdline())
            self._known[process_id] = (process, part)
        times = process.cpu_times()
        self._times[process_id] = (part, times.user + times.system)
        return int(process.memory_full_info().pss)
