"""A cache of tools outside the checkout: entries appear whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

_RECORD = "record.json"
_PARTIAL = ".partial-"


def cache_root(environment: Mapping[str, str]) -> Path:
    """`$XDG_CACHE_HOME/mesh-trust/tools`, or the same below `~/.cache`."""
    base = environment.get("XDG_CACHE_HOME")
    home = Path(environment.get("HOME") or Path.home())
    return (Path(base) if base else home / ".cache") / "mesh-trust" / "tools"


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
        lock = FileLock(self.folder.parent / f"{self.folder.name}.lock")
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

        To be called with the entry locked: what others left half-written is cleared away.
        """
        parent = self.folder.parent
        prefix = f"{_PARTIAL}{self.folder.name}-"
        for leftover in parent.glob(f"{prefix}*"):
            shutil.rmtree(leftover)
        partial = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            produce(partial)
            _write_record(partial)
            if self.folder.exists():
                shutil.rmtree(self.folder)
            partial.rename(self.folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


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
