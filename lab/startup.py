"""Bringing a group of servers up: what is well stays, what is not is started again."""

import time
from collections.abc import Sequence

from lab import processes
from lab.directory import LabDirectory
from lab.errors import LabError
from lab.processes import LabProcess
from lab.progress import Steps
from lab.servers import Server

READY_SECONDS = 90.0
"""How long a server may take to be ready: seconds on an idle machine, a minute on a busy one."""

RECOVERY_SECONDS = 10.0
"""How long a server that runs but is not well may take to recover by itself."""

_PAUSE_SECONDS = 0.2


def bring_up(directory: LabDirectory, servers: Sequence[Server], steps: Steps) -> None:
    """Return when every one of the servers is ready.

    Raises:
        LabError: one of them does not start, ends, or is not ready in time.
    """
    waiting: dict[str, tuple[Server, LabProcess]] = {}
    survivors = {each.name: each for each in processes.running(directory)}
    for server in servers:
        survivor = survivors.get(server.name)
        steps.begin(server.name, "looking")
        if survivor is not None and _recovers(server):
            steps.finish(server.name, "already running")
            continue
        if survivor is not None:
            steps.begin(server.name, "ending the process that does not answer")
            processes.end([survivor])
        steps.begin(server.name, "starting")
        waiting[server.name] = (server, _start(directory, server))
    _await_ready(directory, waiting, steps)


def _recovers(server: Server) -> bool:
    deadline = time.monotonic() + RECOVERY_SECONDS
    while server.ready.failure() is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def _start(directory: LabDirectory, server: Server) -> LabProcess:
    try:
        return processes.start(directory, server.name, server.arguments)
    except OSError as error:
        raise LabError(f"{server.name} cannot be started: {error}") from error


def _await_ready(
    directory: LabDirectory, waiting: dict[str, tuple[Server, LabProcess]], steps: Steps
) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while waiting:
        for name, (server, process) in list(waiting.items()):
            failure = server.ready.failure()
            if failure is None:
                del waiting[name]
                steps.finish(name, f"ready at {server.address}")
            elif not process.is_alive():
                raise _not_ready(directory, name, "ended by itself")
            elif time.monotonic() > deadline:
                raise _not_ready(directory, name, f"not ready after {READY_SECONDS:g} s: {failure}")
            else:
                steps.begin(name, failure)
        time.sleep(_PAUSE_SECONDS)


def _not_ready(directory: LabDirectory, name: str, reason: str) -> LabError:
    log = directory.log(name)
    return LabError(f"{name} {reason}; the end of its log {log}:\n{processes.last_lines(log)}")
