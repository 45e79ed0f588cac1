"""The sub-command `vault restore`."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from ..cli import Project, confirm
from ..errors import OperationError
from .command import EXISTING_FILE, vault, with_identity, with_servers
from .kept_keys import kept_keys
from .key_shares import SHARES, shares_and_threshold, with_shares
from .member_status import RAFT, member_status
from .members import Member, command_for, require_private, require_reachable
from .named import Named
from .restoring import Replacing, Snapshot, is_begun, set_back
from .snapshot import require_leader, token_given
from .snapshot_file import facts_of
from .unsealing import await_active

_EXIT_CODES = """\b
Exit codes: 0 Vault is as it was, and works; 1 people have to give keys first,
as is said; 2 something is in the way.
"""


@vault.command(epilog=_EXIT_CODES)
@with_servers
@click.option(
    "--snapshot-file",
    type=EXISTING_FILE,
    required=True,
    help="What `vault snapshot` has written.",
)
@click.option(
    "--keys-file",
    type=EXISTING_FILE,
    help="For new servers: the file of `vault init` with the keys that the snapshot was made "
    "under.  [default: people give them afterwards]",
)
@with_identity
@with_shares(
    "For new servers without --keys-file: how many such keys there are.", show_default=str(SHARES)
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def restore(
    project: Project,
    named: Named,
    snapshot_file: Path,
    keys_file: Path | None,
    age_identity: Path | None,
    shares: int | None,
    threshold: int | None,
    yes: bool,
) -> None:
    """Put a snapshot in the place of all that is in Vault.

    Into the Vault that it was made of: its servers are unsealed, and the token in
    VAULT_TOKEN may update sys/storage/raft/snapshot. Or into new servers, in place of
    lost ones, which nobody has initialised: its keys and tokens count for them then.
    """
    snapshot = Snapshot(snapshot_file, facts_of(snapshot_file))
    keys = None if keys_file is None else kept_keys(keys_file, age_identity)
    if keys is None:
        counts = shares_and_threshold(shares, threshold)
    elif shares is None and threshold is None:
        counts = len(keys.keys), keys.threshold
    else:
        raise OperationError("shares, threshold: are not valid with --keys-file; it tells both")
    members = named.members(project)
    require_private(members)
    require_reachable(members)
    statuses = [member_status(member) for member in members]
    if statuses[0].storage == RAFT and (
        is_begun(members, snapshot) or not any(each.is_initialised for each in statuses)
    ):
        _confirm(snapshot, f"new servers, of which {members[0].address} is the first", yes=yes)
        with Console(stderr=True).status("Restoring ..."):
            is_whole = Replacing(members, snapshot, keys, *counts, click.echo).run()
        raise SystemExit(0 if is_whole else 1)
    for member, status in zip(members, statuses, strict=True):
        if not status.is_initialised or status.is_sealed:
            raise OperationError(
                f"Vault at {member.address} is sealed or not initialised, and others are not: "
                f"unseal all servers first, with {command_for('unseal', *members)}"
            )
    _set_back(members, snapshot, yes=yes)


def _set_back(members: Sequence[Member], snapshot: Snapshot, *, yes: bool) -> None:
    token = token_given("update sys/storage/raft/snapshot")
    leader = require_leader(members)
    _confirm(snapshot, f"the place of all that is in Vault at {leader.address}", yes=yes)
    with Console(stderr=True).status("Restoring ..."):
        set_back(leader, token, snapshot)
        click.echo(
            f"Vault at {leader.address} is as it was at change {snapshot.facts.index} of raft"
        )
        click.echo(f"{await_active(members).address} leads")


def _confirm(snapshot: Snapshot, where: str, *, yes: bool) -> None:
    confirm(
        f"Put the {snapshot.facts.size} bytes of {snapshot.path} in {where}?",
        "nothing was restored, as that was not confirmed",
        yes=yes,
    )
