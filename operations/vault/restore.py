"""The sub-command `vault restore`."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from hvac.exceptions import InvalidRequest
from rich.console import Console

from ..cli import Project, confirm
from ..errors import OperationError
from .command import EXISTING_FILE, vault, with_identity, with_servers
from .kept_keys import kept_keys
from .member_status import MemberStatus, member_status
from .members import Member, asking, command_for, require_private, require_reachable
from .named import Named
from .snapshot import require_leader, token_given
from .snapshot_file import SnapshotFacts, facts_of
from .unsealing import Keys, await_active, unseal_and_join

_ANSWER_SECONDS = 600
"""For which Vault may take in what it was sent."""
_PATIENCE_SECONDS = 120
_LOOK_EVERY_SECONDS = 0.2

_OTHER_KEYS = "could not verify hash file"
"""What Vault says of a snapshot that was made under other keys (vault/logical_system_raft.go)."""

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
    "--force",
    is_flag=True,
    help="Also where it was made under other unseal keys than the present ones, which count no "
    "more then: for new servers in place of lost ones.",
)
@click.option(
    "--keys-file",
    type=EXISTING_FILE,
    help="The file of `vault init` with the keys that the snapshot was made under; with it the "
    "servers are unsealed at once.",
)
@with_identity
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def restore(
    project: Project,
    named: Named,
    snapshot_file: Path,
    force: bool,
    keys_file: Path | None,
    age_identity: Path | None,
    yes: bool,
) -> None:
    """Put a snapshot in the place of all that is in Vault.

    The servers are initialised and unsealed, whether or not by the same keys; name all
    of them. The token is in VAULT_TOKEN, is one of the present Vault, and may update
    sys/storage/raft/snapshot, and with --force sys/storage/raft/snapshot-force.
    """
    facts = facts_of(snapshot_file)
    keys = None if keys_file is None else kept_keys(keys_file, age_identity)
    members = named.members(project)
    require_private(members)
    token = token_given("update sys/storage/raft/snapshot")
    require_reachable(members)
    leader = require_leader(members)
    _require_unsealed(members)
    confirm(
        f"Put the {facts.size} bytes of {snapshot_file} in the place of all that is in Vault at "
        f"{leader.address}?",
        "nothing was restored, as that was not confirmed",
        yes=yes,
    )
    with Console(stderr=True).status("Restoring ..."):
        is_whole = _restored(members, leader, token, snapshot_file, facts, keys, force=force)
    raise SystemExit(0 if is_whole else 1)


def _require_unsealed(members: Sequence[Member]) -> None:
    """Looks whether all take part: one that does not would go on with what it has.

    Raises:
        OperationError: one is sealed, or not initialised.
    """
    for member in members:
        status = member_status(member)
        if not status.is_initialised or status.is_sealed:
            raise OperationError(
                f"Vault at {member.address} is sealed or not initialised: unseal all servers "
                f"first, and see how they do with {command_for('status', *members)}"
            )


def _restored(
    members: Sequence[Member],
    leader: Member,
    token: str,
    file: Path,
    facts: SnapshotFacts,
    keys: Keys | None,
    *,
    force: bool,
) -> bool:
    """Whether Vault works now; if not, it was said what people have to do."""
    if _is_taken(leader, token, file, force=force):
        click.echo(f"Vault at {leader.address} is as it was at change {facts.index} of raft")
    else:
        _take_by_force(leader, token, file)
        click.echo(
            f"Vault at {leader.address} is as it was at change {facts.index} of raft; the unseal "
            "keys and tokens are those of that time, and those of before count no more"
        )
        statuses = _await_end_of_present_keys(members)
        if keys is None and any(each.waits_for_keys for each in statuses):
            click.echo(
                "its servers are sealed: give them the keys that the snapshot was made under, with "
                f"{command_for('unseal', *members)}"
            )
            return False
        unseal_and_join(members, keys, click.echo)
    click.echo(f"{await_active(members).address} leads")
    return True


def _is_taken(leader: Member, token: str, file: Path, *, force: bool) -> bool:
    """Whether Vault takes the snapshot as one of its own.

    Raises:
        OperationError: it refuses it; where it is one of other keys, only without `force`.
    """
    client = leader.client(token, _ANSWER_SECONDS)
    with asking(leader, "take the snapshot"), file.open("rb") as content:
        try:
            client.sys.restore_raft_snapshot(content)
        except InvalidRequest as error:
            if _OTHER_KEYS not in str(error):
                raise
            if not force:
                raise OperationError(
                    f"{file} was made under other keys than those of Vault at {leader.address}: if "
                    "these servers stand in for that Vault, say --force; from then on the unseal "
                    "keys and tokens of the snapshot's time count"
                ) from None
            return False
    return True


def _take_by_force(leader: Member, token: str, file: Path) -> None:
    client: Any = leader.client(token, _ANSWER_SECONDS)
    with asking(leader, "take the snapshot of other keys"), file.open("rb") as content:
        client.sys.force_restore_raft_snapshot(content)


def _await_end_of_present_keys(members: Sequence[Member]) -> list[MemberStatus]:
    """Waits until no server works with the keys of before: each seals itself, when it has heard.

    Raises:
        OperationError: one does not.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    found = []
    for member in members:
        while (status := _status_if_told(member)) is None or not status.is_sealed:
            if time.monotonic() > deadline:
                raise OperationError(
                    f"Vault at {member.address} is not sealed {_PATIENCE_SECONDS} s after it was "
                    "restored: restart it, and unseal it with the keys of the snapshot's time"
                )
            time.sleep(_LOOK_EVERY_SECONDS)
        found.append(status)
    return found


def _status_if_told(member: Member) -> MemberStatus | None:
    """How it does; None while it fails at what it cannot decrypt any more."""
    try:
        return member_status(member)
    except OperationError:
        return None
