"""All of `vault init`: what is there is seen, and what is missing is done."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import OperationError
from .initialise import Protection, initialise, keys_are_lost, was_asked
from .keys_document import KeysDocument, read_keys
from .member_status import MemberStatus, member_status
from .members import Member, command_for, require_private, require_reachable
from .private_file import content_of
from .stack_token import TokenKind, make_first_token, prove, revoke, token_facts, token_in
from .unsealing import Keys, Say, await_leader, unseal_and_join

_GIVEN = "that in VAULT_TOKEN"


@dataclass(frozen=True)
class Files:
    """Where secrets are kept."""

    keys: Path
    """Of the initialisation."""
    token: Path
    """Of the stack."""
    age_identity: Path | None = None
    """What `keys` can be read with, where it is encrypted to age recipients."""


@dataclass(frozen=True)
class SettingUp:
    """One run; each step looks for itself whether it is done."""

    members: Sequence[Member]
    files: Files
    protection: Protection
    kind: TokenKind
    keeps_root_token: bool
    done: Say
    """Takes a line for each thing that was changed."""
    seen: Say = field(default=lambda _: None)
    """Takes a line for each thing that is as it should be."""

    def run(self) -> bool:
        """Whether all is done; if not, it was said what people have to do.

        Raises:
            OperationError: something is in the way.
        """
        require_private(self.members)
        require_reachable(self.members)
        document = self._initialised()
        waiting = unseal_and_join(self.members, self._keys(document), self.done)
        if waiting:
            self.seen(self._ask_for_keys(document, waiting))
            return False
        leader = await_leader(self.members)
        root_tokens, used = self._root_tokens(leader, document), None
        if token_in(self.files.token) is None:
            if not root_tokens:
                raise self._no_root_token(document)
            used = next(iter(root_tokens.values()))
            make_first_token(leader, used, self.kind, self.files.token)
            self.done(f"the policy and the token role {self.kind.name} are written")
        self._proved(leader)
        self._end_root_tokens(leader, root_tokens, used, document)
        return True

    def _initialised(self) -> KeysDocument | None:
        statuses = [member_status(member) for member in self.members]
        path = self.files.keys
        content = content_of(path)
        if not any(each.is_initialised for each in statuses):
            return self._initialise(statuses[0], content)
        first = next(each for each in statuses if each.is_initialised)
        document = None if content is None else read_keys(path, content, self.files.age_identity)
        self.seen(f"Vault at {first.address} is initialised")
        if content is None and all(not each.is_initialised or each.is_sealed for each in statuses):
            member = self.members[statuses.index(first)]
            if was_asked(member, path):
                raise keys_are_lost(member, path)
            if not first.unseals_itself:
                raise OperationError(
                    f"Vault at {first.address} is initialised and sealed, and {path} holds no "
                    "keys: name the file that holds its own, or unseal it with "
                    "`mesh-trust vault unseal`"
                )
        return document

    def _initialise(self, status: MemberStatus, content: bytes | None) -> KeysDocument:
        path = self.files.keys
        if content is not None:
            raise OperationError(
                f"{path} holds keys already, and Vault at {status.address} is not initialised: "
                "they are another Vault's, or its storage is gone; name another file"
            )
        document = initialise(self.members, status, path, self.protection)
        self.done(
            f"Vault at {status.address} is initialised: {self.protection.shares} "
            f"{document.purpose} keys, {document.threshold} of which are needed, and the root "
            f"token are in {path}, {self._readers(document)}"
        )
        return document

    def _readers(self, document: KeysDocument) -> str:
        if document.pgp_keys:
            return "each encrypted to a PGP key"
        count = len(self.protection.age_recipients)
        return f"encrypted to {count} age recipient(s)" if count else "for its owner only"

    def _keys(self, document: KeysDocument | None) -> Keys | None:
        if document is None or not document.is_readable:
            return None
        return Keys(document.keys, document.threshold, str(self.files.keys))

    def _ask_for_keys(self, document: KeysDocument | None, waiting: Sequence[Member]) -> str:
        unseal = command_for("unseal", *waiting)
        if document is not None and document.pgp_keys:
            return (
                f"the keys are for their holders only: have {document.threshold} of them run "
                f"{unseal}, and then run this again with the root token in VAULT_TOKEN"
            )
        return (
            f"the keys in {self.files.keys} cannot be read: run this again with --age-identity, or "
            f"run {unseal} first"
        )

    def _root_tokens(self, leader: Member, document: KeysDocument | None) -> dict[str, str]:
        """The root tokens that are at hand and work, by where they are."""
        given = os.environ.get("VAULT_TOKEN")
        kept = document.root_token if document is not None and document.is_readable else None
        found = {}
        for place, token in ((_GIVEN, given if given != kept else None), (self._kept, kept)):
            if token:
                facts = token_facts(leader, token)
                if facts is not None and facts.is_root:
                    found[place] = token
        return found

    @property
    def _kept(self) -> str:
        return f"that in {self.files.keys}"

    def _no_root_token(self, document: KeysDocument | None) -> OperationError:
        if document is not None and document.is_readable:
            return OperationError(
                f"the root token in {self.files.keys} is revoked, and {self.files.token} is not "
                "there: name the file that holds the stack's token; or make another root token "
                "with `vault operator generate-root`, and give it in VAULT_TOKEN"
            )
        where = "a root token" if document is None else f"that in {self.files.keys}, decrypted,"
        return OperationError(
            "the stack's token is not made yet, which needs a root token: run this again with "
            f"{where} in VAULT_TOKEN"
        )

    def _proved(self, leader: Member) -> None:
        path = self.files.token
        token = token_in(path)
        if token is None:
            raise OperationError(f"{path} is gone: see who deletes it, and run this again")
        facts = prove(leader, token, self.kind.name, path)
        lives = "renewable for ever" if facts.period else "not renewable"
        self.seen(
            f"the stack's token is in {path}; it has the policy {self.kind.name} and "
            f"{round(facts.ttl_seconds / 3600)} h left, {lives}"
        )

    def _end_root_tokens(
        self,
        leader: Member,
        root_tokens: Mapping[str, str],
        used: str | None,
        document: KeysDocument | None,
    ) -> None:
        for place, token in root_tokens.items():
            if self.keeps_root_token:
                self.seen(f"the root token is kept, {place}")
            elif place == _GIVEN and token != used:
                # It may be anybody's, and all that was made with it would end as well.
                self.seen(
                    f"the root token was not needed, and lives on, {place}: if nobody uses it, "
                    "`vault token revoke -self`"
                )
            else:
                revoke(leader, token)
                self.done(f"the root token is revoked, {place}")
        if root_tokens:
            return
        if document is not None and document.is_readable:
            self.seen("the root token is revoked")
        else:
            self.seen("whether the root token is revoked is not to be seen without it")
