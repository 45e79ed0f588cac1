"""A cache of tools outside the checkout: entries appear whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from .places import home_directory

_RECORD = "record.json"
_PARTIAL = ".partial-"


def cache_root(environment: Mapping[str, str]) -> Path:
    """`$XDG_CACHE_HOME/mesh-trust/tools`, or the same below `~/.cache`.

    Raises:
        ToolchainError: the user has no home folder.
    """
    base = Path(environment.get("XDG_CACHE_HOME", ""))
    # The XDG Base Directory Specification has relative paths ignored.
    if not base.is_absolute():
        base = home_directory(environment) / ".cache"
    return base / "mesh-trust" / "tools"


@dataclass(frozen=True)
class Entry:
    """One version of one tool in the cache, there or not."""

    folder: Path

    def is_whole(self) -> bool:
        """Whether it is there, with each file as it was when it was put in."""
        try:
            record = json.loads((self.folder / _RECORD).read_text())
            return bool(record) and all(
                _digest(self.folder / name) == digest for name, digest in record.items()
            )
        except (OSError, ValueError):
            return False

    @contextmanager
    def locked(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Holds the entry against other processes; calls `waiting` if one of them has it."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = self._lock()
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def fill(self, produce: Callable[[Path], None]) -> None:
        """Has `produce` write the files into an empty folder, then makes that folder the entry.

        To be called with the entry locked: what killed runs left half-written, of this entry or of
        another one of the tool, is cleared away.
        """
        parent = self.folder.parent
        self._clear_leftovers()
        for leftover in parent.glob(f"{_PARTIAL}*"):
            # mkdtemp's random ending has no hyphen.
            other = Entry(parent / leftover.name.removeprefix(_PARTIAL).rpartition("-")[0])
            # Who is still writing it holds its lock.
            with suppress(Timeout), other._lock().acquire(timeout=0):
                other._clear_leftovers()
        partial = Path(tempfile.mkdtemp(prefix=f"{_PARTIAL}{self.folder.name}-", dir=parent))
        try:
            produce(partial)
            _write_record(partial)
            if self.folder.exists():
                shutil.rmtree(self.folder)
            partial.rename(self.folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _lock(self) -> FileLock:
        return FileLock(self.folder.parent / f"{self.folder.name}.lock")

    def _clear_leftovers(self) -> None:
        for leftover in self.folder.parent.glob(f"{_PARTIAL}{self.folder.name}-*"):
            shutil.rmtree(leftover)


def _write_record(folder: Path) -> None:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    record = {str(path.relative_to(folder)): _digest(path) for path in files}
    (folder / _RECORD).write_text(json.dumps(record, indent=2))
    for path in (*files, folder / _RECORD, folder):
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
