"""Puts a snapshot into a Vault: one that made it, or new servers in place of those that did."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hvac.exceptions import InvalidRequest

from ..errors import OperationError
from .initialise import Protection, initialise, keys_are_lost, was_asked
from .keys_document import KeysDocument, read_keys
from .member_status import MemberStatus, member_status
from .members import Member, asking, command_for
from .private_file import content_of
from .snapshot_file import SnapshotFacts
from .stack_token import token_facts
from .unsealing import Keys, Say, await_active, join_all, unseal_and_join, unseal_with

_ANSWER_SECONDS = 600
"""For which Vault may take in what it was sent."""
_PATIENCE_SECONDS = 120
_LOOK_EVERY_SECONDS = 0.2

_OTHER_KEYS = "could not verify hash file"
"""What Vault says of a snapshot that was made under other keys (vault/logical_system_raft.go)."""


@dataclass(frozen=True)
class Snapshot:
    """A file that was looked through."""

    path: Path
    facts: SnapshotFacts

    @property
    def passing_keys(self) -> Path:
        """Where the keys of new servers are until the snapshot's own count."""
        return self.path.with_name(f"{self.path.name}.passing-keys")


def set_back(leader: Member, token: str, snapshot: Snapshot) -> None:
    """Has `leader` and all that follow it take a snapshot that was made under their own keys.

    Raises:
        OperationError: it is one of other keys, or Vault refuses.
    """
    client: Any = leader.client(token, _ANSWER_SECONDS)
    with asking(leader, "take the snapshot"), snapshot.path.open("rb") as content:
        try:
            client.sys.restore_raft_snapshot(content)
        except InvalidRequest as error:
            if _OTHER_KEYS not in str(error):
                raise
            raise OperationError(
                f"{snapshot.path} was made under other keys than those of Vault at "
                f"{leader.address}: restore it into new servers, which nobody has initialised"
            ) from None


@dataclass(frozen=True)
class Replacing:
    """New servers take the place of those that have made a snapshot.

    Only the first of them is initialised, so that no other works with keys that end: a server that
    has not heard of it when the first one seals itself can never be brought back.
    """

    members: Sequence[Member]
    snapshot: Snapshot
    keys: Keys | None
    """The snapshot's; None: people have them."""
    shares: int
    """How many of them there are, and, `threshold`, how many it takes: until it is restarted, a
    server counts on as many as it was initialised with."""
    threshold: int
    say: Say

    def run(self) -> bool:
        """Whether all is done; if not, it was said what people have to do.

        Raises:
            OperationError: something is in the way.
        """
        first, path = self.members[0], self.snapshot.passing_keys
        document = self._initialised()
        if not self._is_restored(first, document):
            self._restore(first, document)
        # They open nothing any more.
        path.unlink()
        self.say(
            f"Vault at {first.address} is as it was at change {self.snapshot.facts.index} of raft; "
            "the unseal keys and tokens are those of that time"
        )
        if self.keys is None and member_status(first).waits_for_keys:
            self.say(
                "it is sealed: give it the keys that the snapshot was made under, with "
                f"{command_for('unseal', *self.members)}, which has the other servers join as well"
            )
            return False
        if len(self.members) > 1 and member_status(first).unseals_itself:
            # It was not sealed, and goes on to show the others the raft certificate that it made
            # for them itself: it takes the snapshot's for the same, as the terms of both are those
            # of a Vault's first day (setTLSKeyring in physical/raft/streamlayer.go).
            self.say(
                f"restart {first.address}, which unseals itself then; after that, "
                f"{command_for('unseal', *self.members)} has the other servers join"
            )
            return False
        unseal_and_join([first], self.keys, self.say)
        await_active([first])
        join_all(self.members[1:], first.address, self.keys, self.say)
        self.say(f"{await_active(self.members).address} leads")
        return True

    def _initialised(self) -> KeysDocument:
        """The keys that count until the snapshot is taken."""
        first, path = self.members[0], self.snapshot.passing_keys
        content, status = content_of(path), member_status(first)
        document = None if content is None else read_keys(path, content, None)
        if document is None and status.is_initialised:
            raise keys_are_lost(first, path)
        if document is None or not status.is_initialised:
            path.unlink(missing_ok=True)
            return initialise([first], status, path, Protection(self.shares, self.threshold))
        return document

    def _is_restored(self, first: Member, document: KeysDocument) -> bool:
        """Whether a run before this one has come so far: then the passing keys count no more."""
        if not member_status(first).waits_for_keys:
            await_active([first])
            return token_facts(first, document.root_token) is None
        try:
            unseal_with(first, document.keys, document.threshold, str(self.snapshot.passing_keys))
        except OperationError:
            return True
        return False

    def _restore(self, first: Member, document: KeysDocument) -> None:
        await_active([first])
        if member_status(first).unseals_itself:
            set_back(first, document.root_token, self.snapshot)
            return
        client: Any = first.client(document.root_token, _ANSWER_SECONDS)
        with (
            asking(first, "take the snapshot of other keys"),
            self.snapshot.path.open("rb") as content,
        ):
            client.sys.force_restore_raft_snapshot(content)
        _await_sealed(first)


def is_begun(members: Sequence[Member], snapshot: Snapshot) -> bool:
    """Whether a run that was interrupted has begun to put `snapshot` into new servers."""
    path = snapshot.passing_keys
    return content_of(path) is not None or was_asked(members[0], path)


def _await_sealed(member: Member) -> None:
    """Waits until `member`, which was restored, works with the keys of before no more.

    Raises:
        OperationError: it does so still.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (status := _status_if_told(member)) is None or not status.is_sealed:
        if time.monotonic() > deadline:
            raise OperationError(
                f"Vault at {member.address} is not sealed {_PATIENCE_SECONDS} s after it was "
                "restored: restart it, and run this again"
            )
        time.sleep(_LOOK_EVERY_SECONDS)


def _status_if_told(member: Member) -> MemberStatus | None:
    """How it does; None while it fails at what it cannot decrypt any more."""
    try:
        return member_status(member)
    except OperationError:
        return None
