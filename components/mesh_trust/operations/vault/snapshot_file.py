"""Snapshots of the integrated storage as files: made whole or not at all, and looked through."""

import gzip
import hashlib
import json
import os
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from mesh_trust.readiness import on_one_line

from ..errors import OperationError

_SUMS = "SHA256SUMS"
_SEALED_SUMS = "SHA256SUMS.sealed"
"""The same, encrypted by the Vault that has made it: by these it knows its own."""
_FACTS = "meta.json"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class SnapshotFacts:
    """What a snapshot tells of itself."""

    index: int
    """Of the last change in it, in raft's log."""
    size: int
    """Of the data, bytes."""
    servers: tuple[str, ...]
    """Names of the servers that there were."""


def facts_of(path: Path, shown: Path | None = None) -> SnapshotFacts:
    """Reads the snapshot in the file `path` to its end; errors name it, or `shown` in its place.

    Raises:
        OperationError: it cannot be read, is none, or is not as it was made.
    """
    shown = shown or path
    try:
        sums, content = _read(path)
        facts: dict[str, Any] = json.loads(content[_FACTS])
        for line in content[_SUMS].decode().splitlines():
            expected, name = line.split()
            if sums.pop(name) != expected:
                raise _unfit(shown, f"{name} in it is not what it was")
        if _SEALED_SUMS not in content or set(sums) - {_SUMS, _SEALED_SUMS}:
            raise _unfit(shown, "it holds other files than a snapshot")
        servers = facts["Configuration"]["Servers"]
        return SnapshotFacts(
            int(facts["Index"]), int(facts["Size"]), tuple(str(each["ID"]) for each in servers)
        )
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _unfit(shown, on_one_line(str(error), 100)) from None
    except OSError as error:
        raise OperationError(f"{shown} cannot be read ({error.strerror})") from None
    except (KeyError, ValueError, TypeError):
        raise _unfit(shown, "it holds other files than a snapshot") from None


def keep(path: Path, chunks: Iterable[bytes]) -> SnapshotFacts:
    """Writes `chunks` into the new file `path`, which only its owner can read.

    The file is there once the snapshot is whole, on the disk and looked through.

    Raises:
        OperationError: it is there already, cannot be written, or `chunks` are no snapshot.
    """
    require_new(path)
    try:
        # Made with mode 0600.
        with NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.name}.") as file:
            for each in chunks:
                file.write(each)
            file.flush()
            os.fsync(file.fileno())
            facts = facts_of(Path(file.name), path)
            # Where `rename` would replace what has come in between.
            os.link(file.name, path)
            folder = os.open(path.absolute().parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except FileExistsError:
        raise _present(path) from None
    except OSError as error:
        raise OperationError(
            f"{path} cannot be written ({error.strerror}): name a file in a folder of your own, on "
            "a disk with room"
        ) from None
    return facts


def require_new(path: Path) -> None:
    """Looks whether there is no file `path` yet.

    Raises:
        OperationError: there is.
    """
    if os.path.lexists(path):
        raise _present(path)


def _read(path: Path) -> tuple[dict[str, str], dict[str, bytes]]:
    """SHA-256 of each file in the archive by its name, and the content of the small ones."""
    sums: dict[str, str] = {}
    content: dict[str, bytes] = {}
    with gzip.open(path) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            if file is None:
                continue
            digest = hashlib.sha256()
            first = b""
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                first = first or chunk
            sums[entry.name] = digest.hexdigest()
            if entry.size <= _CHUNK:
                content[entry.name] = first
        # What is cut off may be behind the last of the files.
        while packed.read(_CHUNK):
            pass
    return sums, content


def _present(path: Path) -> OperationError:
    return OperationError(f"{path} is there already, and nothing is overwritten: name another file")


def _unfit(path: Path, why: str) -> OperationError:
    return OperationError(
        f"{path} is no whole snapshot ({why}): name a file of `mesh-trust vault snapshot`, or of "
        "`vault operator raft snapshot save`"
    )
