"""Locks of engines that were killed."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from lab.directory import LabDirectory
from lab.engine_locks import remove_stale_locks


def _lock(directory: LabDirectory, name: str, content: str) -> Path:
    path = directory.pulumi_state / ".pulumi" / "locks" / "organization" / "p" / "dev" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def _holder(pid: int, hostname: str) -> str:
    return json.dumps({"pid": pid, "username": "me", "hostname": hostname})


def test_only_locks_of_the_dead_are_removed(tmp_path: Path) -> None:
    directory = LabDirectory(tmp_path)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    here = socket.gethostname()
    dead = _lock(directory, "dead.json", _holder(ended.pid, here))
    kept = [
        _lock(directory, "alive.json", _holder(os.getpid(), here)),
        _lock(directory, "elsewhere.json", _holder(ended.pid, f"not-{here}")),
        _lock(directory, "unfinished.json", '{"pid": '),
        _lock(directory, "strange.json", "{}"),
        _lock(directory, "list.json", "[]"),
        _lock(directory, "word.json", json.dumps({"pid": "many", "hostname": here})),
        _lock(directory, "huge.json", json.dumps({"pid": 2**80, "hostname": f"not-{here}"})),
    ]

    assert remove_stale_locks(directory) == [dead]
    assert not dead.exists()
    assert all(lock.exists() for lock in kept)


def test_where_nothing_ever_ran_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert remove_stale_locks(LabDirectory(tmp_path)) == []
