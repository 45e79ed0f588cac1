"""Files that arguments name."""

from pathlib import Path

from .validation import InvalidInputError


def content_of(field: str, path: Path) -> bytes:
    """The content of the file at `path`.

    Raises:
        InvalidInputError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            field, str(path), f"name a readable file ({error.strerror})"
        ) from None
