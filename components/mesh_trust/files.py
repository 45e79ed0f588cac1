"""Files that arguments name."""

from pathlib import Path

from .validation import InvalidInputError


def path_of(field: str, path: str) -> Path:
    """The path that `path` names, with `~` for a user's home.

    Raises:
        InvalidInputError: there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InvalidInputError(
            field, path, "name the file without ~, or a user who has a home"
        ) from None


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
    except ValueError as error:
        # A byte that no path has.
        raise InvalidInputError(field, str(path), f"name a readable file ({error})") from None
