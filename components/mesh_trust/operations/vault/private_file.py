"""Files for secrets: only their owner reads them, and there is room before there is a secret."""

import fcntl
import os
import stat
from pathlib import Path
from types import TracebackType

from ..errors import OperationError

_RESERVED = b"reserved by mesh-trust "
_MODE = 0o600


def content_of(path: Path) -> bytes | None:
    """What the file holds; None where it is not there, or reserved only.

    Raises:
        OperationError: it cannot be read, others can read it as well, or it is somebody else's.
    """
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OperationError(f"{path} cannot be read ({error.strerror})") from None
    _require_own(path, facts)
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o077:
        raise OperationError(
            f"{path} holds secrets, and its mode {mode:04o} lets others at them: "
            f"`chmod 600 {path}`, if nobody has read it"
        )
    return None if _is_reservation(content) else content


def reserved_note(path: Path) -> str | None:
    """The note of a reservation; None where the file is no reservation, or was not finished."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    line, newline, _ = content.partition(b"\n")
    if not newline or not line.startswith(_RESERVED):
        return None
    return line.removeprefix(_RESERVED).decode(errors="replace")


class PrivateFile:
    """A file of this process's own for what is to come, with mode 0600 and room for it on the disk.

    Nobody else reserves the same for as long as the context lasts. A file that holds anything but
    a reservation is never written to.
    """

    def __init__(self, path: Path, room: int, note: str) -> None:
        """Reserves `room` bytes at `path`, or takes over the reservation that is there.

        `note`, a single line without secrets, stays there until the file is filled.

        Raises:
            OperationError: the file is there and holds something, is somebody else's, or about to
                be filled by somebody else, or it cannot be made.
        """
        self.path = path
        self._room = room
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _MODE)
        except OSError as error:
            raise self._impossible(error) from None
        try:
            self._reserve(note)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> "PrivateFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def fill(self, content: bytes) -> None:
        """Puts `content` in the place of the reservation, and sees it on the disk.

        Raises:
            OperationError: it cannot be written.
        """
        try:
            self._write(content)
        except OSError as error:
            raise self._impossible(error) from None

    def note(self, note: str) -> None:
        """Puts `note` in the place of the reservation's.

        Raises:
            OperationError: it cannot be written.
        """
        try:
            self._write_note(note)
        except OSError as error:
            raise self._impossible(error) from None

    def _reserve(self, note: str) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperationError(
                f"{self.path} is being written by another run of mesh-trust: wait for its end"
            ) from None
        _require_own(self.path, os.fstat(self._descriptor))
        try:
            # Read here, as another run may have filled it before the lock.
            if not _is_reservation(os.pread(self._descriptor, self._room + len(_RESERVED), 0)):
                raise OperationError(
                    f"{self.path} is there already, and nothing is overwritten: name another file"
                )
            os.fchmod(self._descriptor, _MODE)
            self._write_note(note)
            folder = os.open(self.path.absolute().parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._impossible(error) from None

    def _write_note(self, note: str) -> None:
        head = _RESERVED + note.encode() + b"\n"
        # Written and not just asked for: a disk that is full has to show it now.
        self._write(head + b" " * max(0, self._room - len(head)))

    def _write(self, content: bytes) -> None:
        written = 0
        while written < len(content):
            written += os.pwrite(self._descriptor, content[written:], written)
        os.ftruncate(self._descriptor, len(content))
        os.fsync(self._descriptor)

    def _impossible(self, error: OSError) -> OperationError:
        return OperationError(
            f"{self.path} cannot be written ({error.strerror}): name a file in a folder of your "
            "own, on a disk with room"
        )


def _require_own(path: Path, facts: os.stat_result) -> None:
    """Looks whether this user owns the file: whoever does can read it, whatever its mode.

    Raises:
        OperationError: somebody else does.
    """
    if facts.st_uid != os.geteuid():
        raise OperationError(
            f"{path} belongs to another user (uid {facts.st_uid}), who could read what is in it: "
            "name a file in a folder of your own"
        )


def _is_reservation(content: bytes) -> bool:
    # What a killed run has begun to write counts as well.
    return content.startswith(_RESERVED) or _RESERVED.startswith(content.rstrip(b"\0"))
