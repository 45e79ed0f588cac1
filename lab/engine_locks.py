"""Locks that an engine left on a stack because it was killed."""

import json
import socket
from pathlib import Path

import psutil

from lab.directory import LabDirectory


def remove_stale_locks(directory: LabDirectory) -> list[Path]:
    """Remove the locks of engines on this machine that run no more, and return their paths.

    The engine's file backend keeps one file for each lock, with the process id and host name of its
    holder, and itself never removes one that it did not make.
    """
    # Below `locks`, in a folder for each project and stack.
    locks = (directory.pulumi_state / ".pulumi" / "locks").rglob("*.json")
    stale = [lock for lock in locks if _is_stale(lock)]
    for lock in stale:
        lock.unlink(missing_ok=True)
    return stale


def _is_stale(lock: Path) -> bool:
    try:
        holder = json.loads(lock.read_text())
        return holder["hostname"] == socket.gethostname() and not psutil.pid_exists(holder["pid"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        # Just removed, being written, or no lock as we know it: the engine will tell whose it is.
        return False
