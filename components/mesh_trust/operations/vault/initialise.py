"""The one request that initialises a Vault, and what is kept of its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from hvac.exceptions import InvalidRequest, VaultError

from ..errors import OperationError
from .age import encrypted
from .critical import uninterrupted
from .keys_document import RECOVERY, UNSEAL, KeysDocument, answered
from .member_status import MemberStatus
from .members import Member, asking
from .pgp import PgpKey
from .private_file import PrivateFile, reserved_note

_ANSWER_SECONDS = 300
"""An answer that is given up on is lost with all that is in it."""

_KEY_ROOM, _ROOM = 8192, 65536
"""Bytes on the disk for each key, and for all else: a PGP message is the largest a key can be."""

_ASKED = "for the keys of the Vault that was asked for them at "
_NOT_ASKED = "for the keys of a Vault"


@dataclass(frozen=True)
class Protection:
    """How keys and root token are made, and to whom they are encrypted."""

    shares: int
    threshold: int
    pgp_keys: tuple[PgpKey, ...] = ()
    """One for each share; empty: they are not encrypted by Vault."""
    root_token_pgp_key: PgpKey | None = None
    age_recipients: tuple[Any, ...] = ()
    """Those who can read the file; empty: it is as it comes."""

    def request(self, purpose: str) -> dict[str, Any]:
        """What Vault is asked for, as hvac names it."""
        kind = "recovery" if purpose == RECOVERY else "secret"
        asked: dict[str, Any] = {
            f"{kind}_shares": self.shares,
            f"{kind}_threshold": self.threshold,
        }
        if self.pgp_keys:
            name = "recovery_pgp_keys" if purpose == RECOVERY else "pgp_keys"
            asked[name] = [each.encoded for each in self.pgp_keys]
        if self.root_token_pgp_key is not None:
            asked["root_token_pgp_key"] = self.root_token_pgp_key.encoded
        return asked

    def stored(self, document: KeysDocument) -> bytes:
        """What goes into the file."""
        content = document.as_json().encode()
        return encrypted(content, self.age_recipients) if self.age_recipients else content


def initialise(
    members: Sequence[Member], status: MemberStatus, keys_file: Path, protection: Protection
) -> KeysDocument:
    """Initialises the first of `members`, whose `status` it is, and keeps the answer.

    Between Vault's answer and its being on the disk there is nothing but its encryption, and no
    request to end is heard.

    Raises:
        OperationError: it was not initialised; or it was, and its keys are lost.
    """
    member = members[0]
    purpose = RECOVERY if status.unseals_itself else UNSEAL
    client = member.client(seconds=_ANSWER_SECONDS)
    root_key, addresses = protection.root_token_pgp_key, [each.address for each in members]
    room = _ROOM + _KEY_ROOM * protection.shares
    with PrivateFile(keys_file, room, _ASKED + member.address) as file, uninterrupted():
        try:
            answer = client.sys.initialize(**protection.request(purpose))
        except requests.exceptions.RequestException as error:
            raise _unanswered(member, file, error) from None
        except VaultError as error:
            if isinstance(error, InvalidRequest):
                # It has made no keys, at least not for this run.
                file.note(_NOT_ASKED)
            said = "; ".join(map(str, error.errors or ()))
            raise OperationError(
                f"Vault at {member.address} is not initialised by this: {said}"
            ) from None
        document = answered(
            answer,
            purpose,
            protection.threshold,
            addresses,
            [each.fingerprint for each in protection.pgp_keys],
            None if root_key is None else root_key.fingerprint,
        )
        try:
            file.fill(protection.stored(document))
        except OperationError as error:
            raise OperationError(f"{error}; {_lost(member, keys_file)}") from None
    return document


def was_asked(member: Member, keys_file: Path) -> bool:
    """Whether the file is reserved for keys that `member` was asked for and never gave."""
    return reserved_note(keys_file) == _ASKED + member.address


def keys_are_lost(member: Member, keys_file: Path) -> OperationError:
    """What is to be said where Vault has keys, and the file was only reserved for them."""
    return OperationError(_lost(member, keys_file))


def _unanswered(member: Member, file: PrivateFile, error: Exception) -> OperationError:
    with asking(member, "tell whether it is initialised now, which it was asked to be"):
        is_initialised = member.client().sys.is_initialized()
    if is_initialised:
        return keys_are_lost(member, file.path)
    file.note(_NOT_ASKED)
    return OperationError(
        f"Vault at {member.address} does not answer ({type(error).__name__}), and is not "
        "initialised: run this again"
    )


def _lost(member: Member, keys_file: Path) -> str:
    return (
        f"Vault at {member.address} is initialised, and its keys never came into {keys_file}: "
        "unless somebody else has initialised it, nobody has them. If nothing was put into it, "
        "stop it, delete its storage, start it, and run this again"
    )
