"""Tokens that `pulumi up` works with: made, written, and proved."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hvac.exceptions import Forbidden, InvalidPath

from ..errors import OperationError
from .members import Member, asking
from .private_file import PrivateFile, content_of, reserved_note

_ROOM = 4096
_MARK = "made-for"
"""Metadata of a token by which one is found whose making was not answered."""
_PERIOD = "period"
"""Metadata of a token that can be renewed for ever, each time for so long."""


@dataclass(frozen=True)
class TokenKind:
    """What the stack's tokens are like."""

    name: str
    """Of the policy, and of the role that makes tokens with it."""
    period: str | None
    """For how long it lives after it was made or renewed last, as Vault writes durations; None: it
    cannot be renewed beyond `ttl`."""
    ttl: str | None
    policy: str = ""
    """Rules of the policy, for who writes it."""


@dataclass(frozen=True)
class TokenFacts:
    """What Vault tells of a token to whoever holds it."""

    accessor: str
    policies: tuple[str, ...]
    role: str | None
    """Token role it was made with."""
    ttl_seconds: int
    """How long it has left."""
    creation_ttl_seconds: int
    metadata: Mapping[str, str]

    @property
    def is_root(self) -> bool:
        """Whether it may do everything."""
        return "root" in self.policies

    @property
    def period(self) -> str | None:
        """As its kind has it: Vault tells of no period that comes from a role."""
        return self.metadata.get(_PERIOD)


def token_in(path: Path) -> str | None:
    """The token that a file holds; None where it is not there, or only reserved.

    Raises:
        OperationError: it cannot be read, others can read it, or it holds something else.
    """
    content = content_of(path)
    if content is None:
        return None
    token = content.strip()
    if not token or not token.isascii() or len(token.split()) != 1:
        raise OperationError(f"{path} holds no token: name another file for it")
    return token.decode()


def token_facts(member: Member, token: str) -> TokenFacts | None:
    """What Vault knows of `token`; None: nothing, as it has ended, or was never one of its own.

    Raises:
        OperationError: Vault does not answer.
    """
    client = member.client(token)
    with asking(member, "look up a token"):
        try:
            told = client.auth.token.lookup_self()["data"]
        except Forbidden:
            return None
    return TokenFacts(
        accessor=told["accessor"],
        policies=tuple(told["policies"]),
        role=told.get("role") or None,
        ttl_seconds=int(told["ttl"]),
        creation_ttl_seconds=int(told["creation_ttl"]),
        metadata=told.get("meta") or {},
    )


def make_first_token(member: Member, root_token: str, kind: TokenKind, path: Path) -> None:
    """Writes policy and role, and a token of that kind into the file `path`.

    Raises:
        OperationError: Vault refuses, or the file cannot be written.
    """
    client = member.client(root_token)
    with asking(member, f"write the policy {kind.name}"):
        client.sys.create_or_update_policy(kind.name, kind.policy)
    role = {
        "allowed_policies": [kind.name],
        "orphan": True,
        "renewable": kind.period is not None,
        "token_type": "service",
        "token_period": kind.period or 0,
    }
    with asking(member, f"write the token role {kind.name}"):
        client.write_data(f"auth/token/roles/{kind.name}", data=role)
    before = reserved_note(path)
    mark = before or secrets.token_hex(16)
    with PrivateFile(path, _ROOM, mark) as file:
        # A Vault may have many tokens, and is asked for each.
        for accessor in _unanswered(member, client, mark) if before else ():
            with asking(member, "revoke a token that nobody has"):
                client.auth.token.revoke_accessor(accessor)
        token = new_token(member, root_token, kind, {_MARK: mark})
        file.fill(f"{token}\n".encode())


def new_token(member: Member, token: str, kind: TokenKind, metadata: Mapping[str, str]) -> str:
    """Makes a token with `token`, by the role of its kind, with `metadata`.

    Raises:
        OperationError: Vault refuses.
    """
    asked: dict[str, Any] = {"meta": dict(metadata), "display_name": kind.name}
    if kind.period is not None:
        asked["meta"][_PERIOD] = kind.period
    if kind.ttl is not None:
        asked["ttl"] = kind.ttl
    with asking(member, f"make a token with the role {kind.name}"):
        made = member.client(token).write_data(f"auth/token/create/{kind.name}", data=asked)
    return str(made["auth"]["client_token"])


def prove(member: Member, token: str, name: str, path: Path) -> TokenFacts:
    """Looks whether `token`, from the file `path`, is one with the policy `name` and works.

    Raises:
        OperationError: it does not.
    """
    facts = token_facts(member, token)
    if facts is None:
        raise OperationError(
            f"Vault at {member.address} does not know the token in {path}: it has ended, or is "
            "another Vault's; delete the file, and run this again with a root token in VAULT_TOKEN"
        )
    if name not in facts.policies:
        listed = ", ".join(facts.policies)
        raise OperationError(
            f"the token in {path} has not the policy {name} but {listed}: name another file"
        )
    with asking(member, f"let the token in {path} read sys/mounts"):
        member.client(token).sys.list_mounted_secrets_engines()
    return facts


def revoke(member: Member, token: str) -> None:
    """Ends `token`, and what was made below it.

    Raises:
        OperationError: Vault refuses.
    """
    with asking(member, "revoke a token"):
        member.client(token).auth.token.revoke_self()


def _unanswered(member: Member, client: Any, mark: str) -> Iterator[str]:
    """Accessors of tokens that a run before this has made and not written."""
    with asking(member, "list its tokens"):
        accessors = client.list("auth/token/accessors")["data"]["keys"]
    for accessor in accessors:
        with asking(member, "look up a token"):
            try:
                found = client.auth.token.lookup_accessor(accessor)["data"]
            except (Forbidden, InvalidPath):
                # It has ended since.
                continue
        if (found.get("meta") or {}).get(_MARK) == mark:
            yield accessor
