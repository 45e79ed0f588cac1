"""Unseal keys that a `vault init` has written into a file."""

from pathlib import Path

from ..errors import OperationError
from .keys_document import RECOVERY, read_keys
from .private_file import content_of
from .unsealing import Keys


def kept_keys(file: Path, identity: Path | None) -> Keys:
    """The unseal keys in the file of a `vault init`.

    Raises:
        OperationError: it cannot be read, or holds no keys that unseal a Vault as they are.
    """
    document = read_keys(file, content_of(file) or b"", identity)
    if document is None:
        raise OperationError(f"{file} is encrypted to age recipients: give --age-identity")
    if not document.is_readable:
        raise OperationError(
            f"the keys in {file} are for the holders of PGP keys: have each of them decrypt theirs "
            "and give it to this command without --keys-file"
        )
    if document.purpose == RECOVERY:
        raise OperationError(f"{file} holds recovery keys, which unseal nothing")
    return Keys(document.keys, document.threshold, str(file))
