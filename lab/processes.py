"""The lab's processes: started so that they outlive the shell, found again, and ended.

Each carries its lab's directory and its own name in its environment, and that is how it is found:
the mark is there from the process's first moment, survives the loss of any file, and no other
process that takes over a process id can have it.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab.directory import LabDirectory

DIRECTORY_MARK = "MESH_TRUST_LAB_DIRECTORY"
NAME_MARK = "MESH_TRUST_LAB_PROCESS"

GRACE_SECONDS = 15.0
"""How long a process may take to end by itself."""


@dataclass(frozen=True)
class LabProcess:
    """A running process of a lab, by its name in the lab."""

    name: str
    process: psutil.Process

    @property
    def arguments(self) -> tuple[str, ...]:
        """What it was started with, executable first; empty once it has ended."""
        try:
            return tuple(self.process.cmdline())
        except psutil.NoSuchProcess:
            return ()

    def is_alive(self) -> bool:
        """Tell whether it still runs; one that has ended and waits to be collected does not."""
        try:
            return self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def start(directory: LabDirectory, name: str, arguments: tuple[str, ...]) -> LabProcess:
    """Start a process in a session of its own; what it prints is added to its log.

    Raises:
        OSError: the executable cannot be started.
    """
    log_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    environment = {
        "HOME": str(directory.root),
        "PATH": os.defpath,
        DIRECTORY_MARK: str(directory.root),
        NAME_MARK: name,
    }
    process_id = os.posix_spawn(
        arguments[0],
        arguments,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(directory.log(name)), log_flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return LabProcess(name, psutil.Process(process_id))


def running(directory: LabDirectory) -> list[LabProcess]:
    """Find every process of this lab that is alive."""
    found = []
    for process_id in psutil.pids():
        try:
            process = psutil.Process(process_id)
            environment = process.environ()
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
        if environment.get(DIRECTORY_MARK) == str(directory.root) and NAME_MARK in environment:
            candidate = LabProcess(environment[NAME_MARK], process)
            if candidate.is_alive():
                found.append(candidate)
    return found


def end(processes: Iterable[LabProcess], grace_seconds: float = GRACE_SECONDS) -> None:
    """End the processes: asked first, forced when they take longer than the grace time."""
    ending = [each.process for each in processes]
    for process in ending:
        _signal(process.terminate)
    _, remaining = psutil.wait_procs(ending, timeout=grace_seconds)
    for process in remaining:
        _signal(process.kill)
    psutil.wait_procs(remaining, timeout=grace_seconds)


def _signal(send: Callable[[], None]) -> None:
    # psutil compares the start time before it sends: a reused process id raises this, too.
    try:
        send()
    except psutil.NoSuchProcess:
        return


def last_lines(log: Path, count: int = 15) -> str:
    """Return the end of a log, or nothing where there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
