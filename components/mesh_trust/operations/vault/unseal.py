"""The sub-command `vault unseal`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console

from ..cli import Project
from ..errors import OperationError
from .command import EXISTING_FILE, vault, with_identity, with_servers
from .kept_keys import kept_keys
from .member_status import RAFT, MemberStatus, member_status
from .members import INIT, Member, asking, command_for, require_private, require_reachable
from .named import Named
from .unsealing import Keys, await_unsealed, unseal_and_join

_EXIT_CODES = """\b
Exit codes: 0 all servers are unsealed; 1 more keys are needed; 2 something is
in the way.
"""


@vault.command(epilog=_EXIT_CODES)
@with_servers
@click.option(
    "--keys-file",
    type=EXISTING_FILE,
    help="The file of `vault init` that holds the keys.  [default: ask for them]",
)
@with_identity
@click.pass_obj
def unseal(
    project: Project,
    named: Named,
    keys_file: Path | None,
    age_identity: Path | None,
) -> None:
    """Unseal the servers of Vault that are sealed.

    Keys are asked for, and not shown; where there is no terminal they are read from
    the standard input, one a line. Each key is given to every server that is
    sealed. Servers that are new join the others, if enough keys were given.
    """
    members = named.members(project)
    require_private(members)
    require_reachable(members)
    statuses = [member_status(member) for member in members]
    if not any(each.is_initialised for each in statuses):
        raise OperationError(
            f"Vault at {members[0].address} is not initialised: run "
            f"{command_for(INIT, *members)} first"
        )
    if not any(_needs_keys(each) for each in statuses):
        if any(map(_joins, statuses)):
            with Console(stderr=True).status("Waiting for Vault ..."):
                unseal_and_join(members, None, click.echo)
            return
        if not any(each.is_sealed for each in statuses):
            click.echo("Nothing was to be done: no server is sealed.")
            return
        raise OperationError(
            "the servers unseal themselves, and no keys of people do it: see that what unseals "
            "them is to be had, and read their logs"
        )
    if keys_file is not None:
        keys = kept_keys(keys_file, age_identity)
    else:
        given = _give(members, statuses)
        if given is None:
            raise SystemExit(1)
        keys = given
    with Console(stderr=True).status("Waiting for Vault ..."):
        if keys_file is None:
            for member, status in zip(members, statuses, strict=True):
                if status.waits_for_keys:
                    await_unsealed(member)
                    click.echo(f"{member.address} is unsealed")
        unseal_and_join(members, keys, click.echo)


def _joins(status: MemberStatus) -> bool:
    return not status.is_initialised and status.storage == RAFT


def _needs_keys(status: MemberStatus) -> bool:
    return status.waits_for_keys or (_joins(status) and not status.unseals_itself)


def _give(members: Sequence[Member], statuses: Sequence[MemberStatus]) -> Keys | None:
    """Gives keys as they come to the servers that wait for them; None: they were not enough.

    What one person gives is of use with what another has given in a run before, so that the keys
    that are at hand in the end may be too few for a server that joins.
    """
    threshold = max(each.threshold for each in statuses)
    waiting = [
        member for member, status in zip(members, statuses, strict=True) if status.waits_for_keys
    ]
    given: list[str] = []
    joining = any(_needs_keys(each) and not each.is_initialised for each in statuses)
    for key in _asked_for(threshold):
        given.append(key)
        for member in list(waiting):
            with asking(member, "take the key"):
                state = member.client().sys.submit_unseal_key(key)
            # One that has just joined has them all, and is sealed until it has heard the leader.
            if state["sealed"] and state["progress"]:
                progress = f"{state['progress']} of {state['t']} keys given"
                click.echo(f"{member.address}: {progress}")
            else:
                waiting.remove(member)
        if not waiting and (not joining or len(given) >= threshold):
            break
    if waiting or (joining and len(given) < threshold):
        click.echo("More keys are needed: run this again with those of others.")
        return None
    return Keys(tuple(given), threshold, "this run")


def _asked_for(threshold: int) -> Iterator[str]:
    if not sys.stdin.isatty():
        yield from filter(None, map(str.strip, sys.stdin))
        return
    for _ in range(threshold):
        key = click.prompt(
            "Unseal key (Enter to stop)", "", hide_input=True, show_default=False, err=True
        )
        if not key.strip():
            return
        yield key.strip()
