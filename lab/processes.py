"""The lab's processes: started so that they outlive the shell, found again, and ended.

Each carries its lab's directory and its own name in its environment, and that is how it is found:
the mark is there from the process's first moment, survives the loss of any file, and no other
process that takes over a process id can have it. The system hides the environment of an executable
with privileges of its own, as an installed Vault may be one: such a process is known by the record
of its start.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab.directory import CHECKOUT, LabDirectory, write_private
from lab.errors import LabError
from lab.toolchain import LAB_DIRECTORY_VARIABLE

NAME_MARK = "MESH_TRUST_LAB_PROCESS"

GRACE_SECONDS = 15.0
"""How long a process may take to end by itself."""

_SAME_START_SECONDS = 2.0
"""How far two readings of a process's start may lie apart: the clock may have been set since."""


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
        "PATH": f"{os.defpath}{os.pathsep}/usr/sbin{os.pathsep}/sbin",
        # Some of the lab's processes are modules of this checkout.
        "PYTHONPATH": str(CHECKOUT),
        **marks(directory, name),
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
    process = psutil.Process(process_id)
    record = {"pid": process.pid, "create_time": process.create_time()}
    write_private(directory.records / f"{name}.json", json.dumps(record).encode())
    return LabProcess(name, process)


def marks(directory: LabDirectory, name: str) -> dict[str, str]:
    """Return the variables that make a process, and what it starts, the lab's own."""
    return {LAB_DIRECTORY_VARIABLE: str(directory.root), NAME_MARK: name}


def running(directory: LabDirectory) -> list[LabProcess]:
    """Find every process of this lab that is alive."""
    recorded = dict(_records(directory))
    found = []
    for process_id in psutil.pids():
        try:
            process = psutil.Process(process_id)
            name = _name(directory, process, recorded)
        except psutil.NoSuchProcess:
            continue
        if name is not None:
            candidate = LabProcess(name, process)
            if candidate.is_alive():
                found.append(candidate)
    return found


def _name(
    directory: LabDirectory, process: psutil.Process, recorded: Mapping[int, tuple[str, float]]
) -> str | None:
    try:
        environment = process.environ()
    except psutil.AccessDenied:
        name, created = recorded.get(process.pid, (None, 0.0))
        is_ours = name and abs(process.create_time() - created) < _SAME_START_SECONDS
        return name if is_ours else None
    if environment.get(LAB_DIRECTORY_VARIABLE) == str(directory.root):
        return environment.get(NAME_MARK)
    return None


def _records(directory: LabDirectory) -> Iterator[tuple[int, tuple[str, float]]]:
    """Yield process id, name and start (seconds since the epoch) of each recorded process."""
    for path in directory.records.glob("*.json"):
        try:
            record = json.loads(path.read_text())
        except FileNotFoundError:
            # The lab is being deleted.
            continue
        yield record["pid"], (path.stem, record["create_time"])


def end(processes: Iterable[LabProcess], grace_seconds: float = GRACE_SECONDS) -> None:
    """End the processes: asked first, forced when they take longer than the grace time.

    Raises:
        LabError: one of them is still there, although it was forced.
    """
    ending = {each.process: each for each in processes}
    for process in ending:
        _signal(process.terminate)
    _, remaining = psutil.wait_procs(ending, timeout=grace_seconds)
    for process in remaining:
        _signal(process.kill)
    _, remaining = psutil.wait_procs(remaining, timeout=grace_seconds)
    surviving = [ending[process] for process in remaining if ending[process].is_alive()]
    if surviving:
        names = ", ".join(f"{each.name} (process {each.process.pid})" for each in surviving)
        raise LabError(f"cannot be ended: {names}; see what holds it up, and try again")


def _signal(send: Callable[[], None]) -> None:
    # psutil compares the start time before it sends: a reused process id raises NoSuchProcess, too.
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        send()


def last_lines(log: Path, count: int = 15) -> str:
    """Return the end of a log, or nothing where there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
