"""Processes of a lab are found and ended; all others are left alone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lab import processes
from lab.directory import LabDirectory
from lab.errors import LabError
from lab.processes import LabProcess

SLEEP = ("/bin/sh", "-c", "echo started; exec sleep 600")
DEAF = ("/bin/sh", "-c", "trap '' TERM; echo deaf; while true; do sleep 1; done")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[LabDirectory]:
    directory = LabDirectory(tmp_path / "lab")
    directory.create()
    yield directory
    processes.end(processes.running(directory), grace_seconds=0.1)


def _await_log(directory: LabDirectory, name: str, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in processes.last_lines(directory.log(name)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_started_process_is_found_until_it_is_ended(directory: LabDirectory) -> None:
    assert processes.running(directory) == []
    started = processes.start(directory, "sleeper", SLEEP)
    _await_log(directory, "sleeper", "started")
    [found] = processes.running(directory)
    assert (found.name, found.process.pid) == ("sleeper", started.process.pid)
    assert found.is_alive()
    processes.end([found])
    assert processes.running(directory) == []
    assert not psutil.pid_exists(started.process.pid)


def test_a_log_is_its_owners_only_and_grows(directory: LabDirectory) -> None:
    for _ in range(2):
        process = processes.start(directory, "sleeper", ("/bin/echo", "line"))
        process.process.wait(10)
    log = directory.log("sleeper")
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.read_text() == "line\nline\n"


def test_a_process_that_does_not_listen_is_forced(directory: LabDirectory) -> None:
    process = processes.start(directory, "deaf", DEAF)
    _await_log(directory, "deaf", "deaf")
    processes.end([process], grace_seconds=0.3)
    assert not process.is_alive()


def test_an_ended_process_is_not_running(directory: LabDirectory) -> None:
    process = processes.start(directory, "sleeper", ("/bin/true",))
    deadline = time.monotonic() + 10
    while process.is_alive():
        assert time.monotonic() < deadline
    assert processes.running(directory) == []


def test_other_processes_are_left_alone(directory: LabDirectory, tmp_path: Path) -> None:
    """The same command of a foreign process, and the same name in another lab, are not ours."""
    other = LabDirectory(tmp_path / "other")
    other.create()
    foreign = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL)
    neighbour = processes.start(other, "sleeper", SLEEP)
    try:
        ours = processes.start(directory, "sleeper", SLEEP)
        processes.end(processes.running(directory))
        assert not ours.is_alive()
        assert foreign.poll() is None
        assert neighbour.is_alive()
    finally:
        foreign.kill()
        foreign.wait()
        processes.end([neighbour])


def test_a_process_id_that_was_taken_over_is_not_signalled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found as ours, ended since, and its id given to another process with a later start."""
    foreign = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL)
    try:
        found = LabProcess("sleeper", psutil.Process(foreign.pid))
        monkeypatch.setattr(found.process, "_ident", (foreign.pid, 0.0))
        assert not found.is_alive()
        processes.end([found], grace_seconds=0.1)
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_a_process_survives_the_one_that_started_it(directory: LabDirectory) -> None:
    script = (
        "import sys; from pathlib import Path; from lab import processes;"
        "from lab.directory import LabDirectory;"
        f"processes.start(LabDirectory(Path(sys.argv[1])), 'sleeper', {SLEEP!r})"
    )
    subprocess.run([sys.executable, "-c", script, str(directory.root)], check=True)
    [found] = processes.running(directory)
    assert os.getsid(found.process.pid) == found.process.pid


def test_its_environment_is_not_the_shells(
    directory: LabDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_CREDENTIAL", "of the shell")
    process = processes.start(directory, "sleeper", SLEEP)
    assert "SOME_CREDENTIAL" not in process.process.environ()


def test_a_process_whose_environment_is_hidden_is_known_by_its_record(
    directory: LabDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one of an executable with capabilities is to a user without privileges."""
    sleeper = processes.start(directory, "sleeper", SLEEP)
    other = processes.start(directory, "other", SLEEP)
    record = directory.records / "other.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "create_time": 1.0}))

    def hidden(process: psutil.Process) -> dict[str, str]:
        raise psutil.AccessDenied(process.pid)

    with monkeypatch.context() as patched:
        patched.setattr(psutil.Process, "environ", hidden)
        [found] = processes.running(directory)
        assert (found.name, found.process.pid) == ("sleeper", sleeper.process.pid)
    assert {each.name for each in processes.running(directory)} == {"sleeper", "other"}
    processes.end([other])


def test_what_cannot_be_ended_is_told(
    directory: LabDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = processes.start(directory, "deaf", DEAF)
    _await_log(directory, "deaf", "deaf")
    with monkeypatch.context() as patched:
        patched.setattr(psutil.Process, "kill", lambda _: None)
        told = rf"cannot be ended: deaf \(process {deaf.process.pid}\)"
        with pytest.raises(LabError, match=told):
            processes.end([deaf], grace_seconds=0.1)
