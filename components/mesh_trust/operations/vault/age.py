"""Encryption to age recipients (https://age-encryption.org/v1), by the library pyrage."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyrage
from pyrage import ssh, x25519

from mesh_trust import InvalidInputError
from mesh_trust.files import content_of

from ..errors import OperationError

_PRIVATE = re.compile("AGE-SECRET-KEY|AGE-PLUGIN|PRIVATE KEY", re.IGNORECASE)

AGE_HEADER = b"-----BEGIN AGE ENCRYPTED FILE-----"


def recipient(text: str) -> Any:
    """The recipient that `text` names: `age1…`, or a public key of SSH.

    Raises:
        OperationError: it names none.
    """
    try:
        kind = ssh if text.startswith("ssh-") else x25519
        return kind.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        if _PRIVATE.search(text):
            raise OperationError(
                "age-recipient: what is given is a private key, and not valid; others may have "
                "read it by now: replace it, and give the public key of its successor"
            ) from None
        raise OperationError(
            f"age-recipient: {text!r} is not valid; use one such as age1…, as `age-keygen -y` "
            "prints it, or a public key such as ssh-ed25519 …"
        ) from None


def encrypted(content: bytes, recipients: Sequence[Any]) -> bytes:
    """`content`, for any one of `recipients`, in ASCII armour."""
    return pyrage.encrypt(content, recipients, armored=True)


def decrypted(path: Path, content: bytes, identity: Path) -> bytes:
    """What `content` of the file `path` holds for whoever has the identity in `identity`.

    Raises:
        OperationError: the identity is none, or is not among those that it was encrypted to.
    """
    identities = _identities(identity)
    try:
        return pyrage.decrypt(content, identities)
    except pyrage.DecryptError:
        raise OperationError(
            f"{path} is not encrypted to the identity in {identity}: name that of a recipient"
        ) from None


def _identities(file: Path) -> list[Any]:
    fault = OperationError(
        f"age-identity: '{file}' is not valid; name a file of `age-keygen`, or a private key of "
        "SSH without a passphrase"
    )
    try:
        content = content_of("age-identity", file)
    except InvalidInputError as error:
        raise OperationError(str(error)) from None
    try:
        if content.startswith(b"-----BEGIN"):
            return [ssh.Identity.from_buffer(content)]
        lines = [line.strip() for line in content.decode().splitlines()]
        found = [x25519.Identity.from_str(each) for each in lines if each and each[0] != "#"]
    except (pyrage.IdentityError, UnicodeDecodeError):
        raise fault from None
    if not found:
        raise fault
    return found
