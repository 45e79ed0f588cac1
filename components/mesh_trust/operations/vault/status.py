"""The sub-command `vault status`."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import click
from hvac.exceptions import VaultError
from requests.exceptions import RequestException
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..cli import EXIT_CODES, Project, with_json
from ..errors import OperationError
from .command import vault, with_servers
from .member_status import RAFT, MemberStatus, member_status
from .members import INIT, Member, command_for
from .named import Named


@dataclass(frozen=True)
class Seen:
    """What was seen of one server."""

    member: Member
    status: MemberStatus | None
    """None: it could not be asked."""
    fault: str | None
    """What is wrong, on a single line; None: nothing is."""
    fix: str | None
    """What to do, likewise."""


@vault.command(epilog=EXIT_CODES)
@with_servers
@with_json
@click.pass_obj
def status(project: Project, named: Named, as_document: bool) -> None:
    """Show how each server of Vault does.

    No token is needed; with one in VAULT_TOKEN that may read it, the servers that
    raft knows are shown as well.
    """
    members = named.members(project)
    progress = Console(stderr=True)
    with progress.status("Asking Vault ..."), ThreadPoolExecutor(len(members)) as threads:
        seen = judged(list(threads.map(look_at, members)))
        peers, why_no_peers = _peers(seen)
    if as_document:
        click.echo(_document(seen, peers))
    else:
        _print(seen, peers, why_no_peers)
    raise SystemExit(int(any(each.fault for each in seen)))


def look_at(member: Member) -> Seen:
    """How `member` does, and what is wrong with it."""
    unreachable = member.unreachable()
    if unreachable is not None:
        return Seen(member, None, *unreachable)
    try:
        found = member_status(member)
    except OperationError as error:
        return Seen(member, None, str(error), "see that it runs, and read its log")
    return Seen(member, found, *_fault(member, found))


def _fault(member: Member, found: MemberStatus) -> tuple[str | None, str | None]:
    if not found.is_initialised:
        return (
            "it is not initialised",
            command_for(INIT, member)
            + ("" if member.named_by is not None else ", with its other servers"),
        )
    if found.is_sealed and found.unseals_itself:
        return (
            "it is sealed, and is to unseal itself",
            "see that what unseals it is to be had, and read its log",
        )
    if found.is_sealed:
        return (
            f"it is sealed: {found.progress} of {found.threshold} keys are given",
            command_for("unseal", member),
        )
    if found.leader is None:
        return "no server leads", "see that more than half of the servers run and are unsealed"
    return None, None


def judged(seen: list[Seen]) -> list[Seen]:
    """The same, with those that are of another Vault than the first one found out."""
    clusters = [each.status.cluster_id for each in seen if each.status and each.status.cluster_id]
    return [
        Seen(
            each.member,
            each.status,
            f"it is of another Vault than the first: {each.status.cluster_id}",
            "name the servers of one Vault",
        )
        if each.status and each.status.cluster_id and each.status.cluster_id != clusters[0]
        else each
        for each in seen
    ]


def _peers(seen: list[Seen]) -> tuple[list[dict[str, Any]] | None, str | None]:
    """Servers that raft knows, or why they are not shown."""
    of_raft = [
        each
        for each in seen
        if each.status and each.status.storage == RAFT and each.status.leader is not None
    ]
    if not of_raft:
        return None, None
    token = os.environ.get("VAULT_TOKEN")
    if not token:
        return None, "VAULT_TOKEN is not set"
    asked = next((each for each in of_raft if each.status and each.status.is_leader), of_raft[0])
    try:
        told = asked.member.client(token).sys.read_raft_config()
    except VaultError as error:
        return None, "; ".join(map(str, error.errors or ())) or type(error).__name__
    except RequestException as error:
        return None, type(error).__name__
    return [
        {
            "id": each["node_id"],
            "address": each["address"],
            "leader": each["leader"],
            "voter": each["voter"],
        }
        for each in told["data"]["config"]["servers"]
    ], None


def _document(seen: list[Seen], peers: list[dict[str, Any]] | None) -> str:
    return json.dumps(
        {
            "ok": not any(each.fault for each in seen),
            "members": [
                {
                    "address": each.member.address,
                    "fault": each.fault,
                    "fix": each.fix,
                    "status": None
                    if each.status is None
                    else {**asdict(each.status), "role": each.status.role},
                }
                for each in seen
            ],
            "raft_peers": peers,
        },
        indent=2,
    )


def _print(seen: list[Seen], peers: list[dict[str, Any]] | None, why_no_peers: str | None) -> None:
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("server", "version", "initialised", "sealed", "role", ""):
        table.add_column(heading, overflow="fold")
    for each in seen:
        found = each.status
        said = Text(each.fault or "", "red")
        if each.fix is not None:
            said.append(f"\n→ {each.fix}", "cyan")
        if found is None:
            table.add_row(Text(each.member.address), "", "", "", "", said)
            continue
        sealed = "no"
        if found.waits_for_keys:
            sealed = f"yes, {found.progress} of {found.threshold} keys given"
        elif found.is_sealed:
            sealed = "yes"
        initialised = "yes" if found.is_initialised else "no"
        role = found.role or "none"
        table.add_row(Text(each.member.address), found.version, initialised, sealed, role, said)
    console = Console()
    console.print(table)
    if peers is not None:
        console.print("\nServers that raft knows:")
        for peer in peers:
            kind = "leader" if peer["leader"] else "voter" if peer["voter"] else "no vote yet"
            console.print(
                f"  {peer['id']}  {peer['address']}  {kind}", highlight=False, markup=False
            )
    elif why_no_peers is not None:
        console.print(f"\nThe servers that raft knows are not shown: {why_no_peers}", markup=False)
