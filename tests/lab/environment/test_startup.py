"""A server that does not come up is told with its reason and the end of its log."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from lab import processes, startup
from lab.directory import LabDirectory
from lab.errors import LabError
from lab.progress import Steps
from lab.servers import Probe, Server
from lab.startup import bring_up


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[LabDirectory]:
    directory = LabDirectory(tmp_path / "lab")
    directory.create()
    yield directory
    processes.end(processes.running(directory), grace_seconds=0.1)


def _server(*arguments: str) -> Server:
    # Nothing listens on port 1.
    probe = Probe("https://127.0.0.1:1/", Path("/dev/null"))
    return Server("broken", "https://127.0.0.1:1", arguments, ready=probe, health=probe)


def _bring_up(directory: LabDirectory, server: Server) -> None:
    with Steps(Console(file=io.StringIO())) as steps:
        bring_up(directory, [server], steps)


def test_a_server_that_ends_is_told_with_its_last_words(directory: LabDirectory) -> None:
    with pytest.raises(LabError, match="broken ended by itself") as told:
        _bring_up(directory, _server("/bin/sh", "-c", "echo no such disk; exit 3"))
    assert str(directory.log("broken")) in str(told.value)
    assert str(told.value).endswith("no such disk")


def test_a_server_that_is_never_ready_is_told(
    directory: LabDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "READY_SECONDS", 0.5)
    with pytest.raises(LabError, match=r"not ready after 0\.5 s: does not accept connections"):
        _bring_up(directory, _server("/bin/sleep", "600"))


def test_an_executable_that_is_missing_is_told(directory: LabDirectory) -> None:
    with pytest.raises(LabError, match="broken cannot be started"):
        _bring_up(directory, _server("/nowhere/broken"))
