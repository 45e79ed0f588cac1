"""The sub-command `vault rotate-admin-token`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from ..cli import Project
from ..errors import OperationError
from .command import FILE, vault, with_servers
from .members import Member, require_private, require_reachable
from .named import Named
from .private_file import PrivateFile
from .stack_token import TokenFacts, TokenKind, new_token, prove, revoke, token_facts, token_in

_ROOM = 4096
_REPLACES = "replaces"
"""Metadata of a token: the accessor of the one before it."""

_EXIT_CODES = """\b
Exit codes: 0 there is a new token, and the old one has ended; 2 something is
in the way.
"""


@dataclass(frozen=True)
class _Held:
    """A token that is at hand."""

    token: str
    facts: TokenFacts


@vault.command("rotate-admin-token", epilog=_EXIT_CODES)
@with_servers
@click.option(
    "--token-file",
    type=FILE,
    required=True,
    help="Where the new token goes, with mode 0600; it may hold the present one.",
)
@click.pass_obj
def rotate_admin_token(project: Project, named: Named, token_file: Path) -> None:
    """Replace the stack's token by a new one of the same kind.

    The present one is in VAULT_TOKEN, or in the file. It is revoked once the new one
    is written and has worked; until then both do.
    """
    members = named.members(project)
    require_private(members)
    require_reachable(members)
    member = members[0]
    if _finish(member, token_file):
        click.echo(f"the new token that was made before is in {token_file}, and has worked")
        return
    given, kept = os.environ.get("VAULT_TOKEN"), token_in(token_file)
    present = given or kept
    if present is None:
        raise OperationError(f"VAULT_TOKEN is not set, and {token_file} holds no token: give one")
    held = _held(member, present, "VAULT_TOKEN" if given else str(token_file))
    if kept is not None and kept != present:
        _finish_given(member, held, kept, token_file)
        return
    _rotate(member, held, token_file, is_kept=kept is not None)
    click.echo(f"a new token is in {token_file}, has worked, and the one before it is revoked")


def _held(member: Member, token: str, place: str) -> _Held:
    facts = token_facts(member, token)
    if facts is None:
        raise OperationError(
            f"Vault at {member.address} does not know the token in {place}: it has ended, or is "
            "another Vault's"
        )
    if facts.role is None:
        raise OperationError(
            f"the token in {place} is not one of `mesh-trust vault init`, which makes them with a "
            "token role: use such a one"
        )
    return _Held(token, facts)


def _rotate(member: Member, held: _Held, file: Path, *, is_kept: bool) -> None:
    period = held.facts.period
    ttl = None if period else f"{held.facts.creation_ttl_seconds}s"
    kind = TokenKind(str(held.facts.role), period, ttl)
    written = _beside(file, ".new") if is_kept else file
    with PrivateFile(written, _ROOM, f"for the token after {held.facts.accessor}") as reserved:
        made = new_token(member, held.token, kind, {_REPLACES: held.facts.accessor})
        reserved.fill(f"{made}\n".encode())
    prove(member, made, kind.name, written)
    if is_kept:
        _finish(member, file)
    else:
        revoke(member, held.token)


def _finish(member: Member, file: Path) -> bool:
    """Does what is left of a rotation whose new token is written; whether there was one.

    At each moment `file` is there and holds a token that works, and the old one is not lost before
    it is revoked.
    """
    coming, going = _beside(file, ".new"), _beside(file, ".old")
    new = token_in(coming)
    if new is not None:
        facts = token_facts(member, new)
        if facts is None or facts.role is None:
            raise OperationError(
                f"{coming} holds a token that Vault does not know: delete it, and run this again"
            )
        prove(member, new, facts.role, coming)
        by_hand = f"move {file} to {going}, {coming} to {file}, and run this again"
        with _in_place(f"{coming}, a token that works, cannot take the place of {file}", by_hand):
            if file.exists():
                going.unlink(missing_ok=True)
                going.hardlink_to(file)
            coming.replace(file)
    old, present = token_in(going), token_in(file)
    if old is None:
        if new is not None:
            click.echo(f"the token that was in {file} is not at hand: revoke it where it is")
        return new is not None
    if present is None or token_facts(member, present) is None:
        raise OperationError(
            f"{file} holds no token that works, and {going} the one before it: see that Vault "
            f"knows the latter, and move it to {file}"
        )
    if old != present and token_facts(member, old) is not None:
        revoke(member, old)
    with _in_place(f"{going}, a token that has ended, cannot be deleted", "delete it"):
        going.unlink()
    return True


def _finish_given(member: Member, held: _Held, kept: str, file: Path) -> None:
    """The same where the present token is only given, and the new one is in `file` already."""
    facts = token_facts(member, kept)
    if facts is None or facts.metadata.get(_REPLACES) != held.facts.accessor:
        raise OperationError(
            f"{file} holds another token than VAULT_TOKEN, and nothing is overwritten: name "
            "another file, or unset VAULT_TOKEN to rotate the token in the file"
        )
    prove(member, kept, str(held.facts.role), file)
    revoke(member, held.token)
    click.echo(f"the token in {file} has worked, and the one before it is revoked")


@contextmanager
def _in_place(fault: str, fix: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperationError(f"{fault} ({error.strerror}): {fix}") from None


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)
