"""The sub-command `vault snapshot`."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ..cli import Project
from ..errors import OperationError
from .command import FILE, vault, with_servers
from .member_status import RAFT, member_status
from .members import Member, asking, command_for, require_private, require_reachable
from .named import Named
from .snapshot_file import keep, require_new

_ANSWER_SECONDS = 300
"""For which Vault may send nothing."""
_CHUNK = 1 << 20

_EXIT_CODES = """\b
Exit codes: 0 the snapshot is whole and written; 2 something is in the way.
"""


@vault.command(epilog=_EXIT_CODES)
@with_servers
@click.option(
    "--snapshot-file",
    type=FILE,
    required=True,
    help="Where it goes; made with mode 0600, never overwritten.",
)
@click.pass_obj
def snapshot(project: Project, named: Named, snapshot_file: Path) -> None:
    """Save all that is in a Vault with integrated storage.

    The token is in VAULT_TOKEN, and may read sys/storage/raft/snapshot. What is in
    the file is encrypted as it is in Vault: it takes the unseal keys to read it.
    """
    require_new(snapshot_file)
    members = named.members(project)
    require_private(members)
    token = token_given("read sys/storage/raft/snapshot")
    with Console(stderr=True).status("Asking Vault ..."):
        require_reachable(members)
        leader = require_leader(members)
        facts = keep(snapshot_file, _sent(leader, token))
    click.echo(
        f"the snapshot of Vault at {leader.address} is in {snapshot_file}: {facts.size} bytes, up "
        f"to change {facts.index} of raft"
    )


def token_given(right: str) -> str:
    """The token in VAULT_TOKEN.

    Raises:
        OperationError: it is not set; then `right` says what one is for.
    """
    token = os.environ.get("VAULT_TOKEN")
    if not token:
        raise OperationError(f"VAULT_TOKEN is not set: give it a token that may {right}")
    return token


def require_leader(members: Sequence[Member]) -> Member:
    """The one of `members` that leads; the others would send a client on to an address of Vault's.

    Raises:
        OperationError: none does, or its data is not in the integrated storage.
    """
    for member in members:
        status = member_status(member)
        if not status.is_initialised or status.is_sealed:
            continue
        if status.storage != RAFT:
            raise OperationError(
                f"Vault at {member.address} keeps its data in storage {status.storage!r}, which "
                "has no snapshots of Vault's: save it by the means of that storage"
            )
        if status.is_leader:
            return member
    raise OperationError(
        "none of the servers that are named leads: name all of them, and see how they do with "
        f"{command_for('status', *members)}"
    )


def _sent(leader: Member, token: str) -> Iterator[bytes]:
    client: Any = leader.client(token, _ANSWER_SECONDS)
    with asking(leader, "send a snapshot"):
        answer = client.sys.take_raft_snapshot()
        with answer:
            yield from answer.iter_content(_CHUNK)
