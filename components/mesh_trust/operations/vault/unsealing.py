"""Unseals Vault's servers, and has them join."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hvac.exceptions import VaultError

from ..errors import OperationError
from .member_status import RAFT, MemberStatus, member_status
from .members import Member, asking

_PATIENCE_SECONDS = 120
"""How long a server may take until it does what it was asked for: it elects, and copies data."""

_LOOK_EVERY_SECONDS = 0.2

_OTHERS_SECONDS = 5
"""How long a server that refuses to join may take until another request has had it join."""

Say = Callable[[str], None]
"""Takes a line of what was done."""


def unseal_with(member: Member, keys: Sequence[str], threshold: int, source: str) -> None:
    """Gives `member` as many of `keys` as it takes, in place of what others have begun.

    A server of raft that has just joined goes on by itself for a while, so that it may be sealed
    yet.

    Raises:
        OperationError: the keys, from `source` as a sentence names it, are not its own.
    """
    client = member.client()
    with asking(member, "start its unsealing anew"):
        client.sys.submit_unseal_key(reset=True)
    for key in keys[:threshold]:
        with asking(member, f"take the keys of {source}"):
            state = client.sys.submit_unseal_key(key)
        if not state["sealed"]:
            return


@dataclass(frozen=True)
class Keys:
    """Enough keys to unseal a Vault."""

    keys: tuple[str, ...] = field(repr=False)
    threshold: int
    """How many of them it takes."""
    source: str
    """Where they are from, as a sentence names it."""


def unseal_and_join(members: Sequence[Member], keys: Keys | None, say: Say) -> tuple[Member, ...]:
    """Has all of `members`, one of which is initialised at least, unsealed and in one Vault.

    Those that are so already are given nothing. Returns those that are still sealed, as they wait
    for people with keys; there are none of these where `keys` are given.

    Raises:
        OperationError: one of them does not become so.
    """
    before = {member: member_status(member) for member in members}
    initialised = [member for member in members if before[member].is_initialised]
    for member in initialised:
        if keys is not None and before[member].waits_for_keys:
            unseal_with(member, keys.keys, keys.threshold, keys.source)
    if keys is None and all(before[member].waits_for_keys for member in initialised):
        return tuple(members)
    joining = [
        member
        for member, status in before.items()
        if not status.is_initialised and status.storage == RAFT
    ]
    leading = _await_leader(initialised) if joining else ""
    for member in joining:
        _join(member, leading)
        say(f"{member.address} has joined {leading}")
        if keys is not None and not before[member].unseals_itself:
            unseal_with(member, keys.keys, keys.threshold, keys.source)
    waiting = tuple(
        member
        for member, status in before.items()
        if keys is None and status.is_sealed and not status.unseals_itself
    )
    unsealed = [member for member in members if member not in waiting]
    for member in unsealed:
        await_unsealed(member)
        if before[member].is_sealed:
            say(f"{member.address} is unsealed")
    require_one_vault(unsealed)
    return waiting


def join_all(members: Sequence[Member], leader: str, keys: Keys | None, say: Say) -> None:
    """Has new `members` join the server at `leader`, and be unsealed.

    Those that look for it by themselves may still have what it told under other keys.

    Raises:
        OperationError: one of them does not become so.
    """
    for member in members:
        status = member_status(member)
        if not status.is_sealed:
            # One that unseals itself has come before.
            continue
        _join(member, leader)
        say(f"{member.address} has joined {leader}")
        if keys is not None and not status.unseals_itself:
            unseal_with(member, keys.keys, keys.threshold, keys.source)
        await_unsealed(member)
        say(f"{member.address} is unsealed")


def await_unsealed(member: Member) -> None:
    """Waits until `member`, which has its keys, is unsealed.

    Raises:
        OperationError: it does not become so.
    """
    _await(member, lambda seen: not seen.is_sealed)


def await_leader(members: Sequence[Member]) -> Member:
    """Waits until all of unsealed `members` know who leads, and returns that one.

    It may be one that is not among them: then any other, which passes on what it is asked.

    Raises:
        OperationError: there is no leader.
    """
    known = [_await(member, lambda seen: seen.leader is not None) for member in members]
    for member, status in zip(members, known, strict=True):
        if status.is_leader:
            return member
    return members[0]


def await_active(members: Sequence[Member]) -> Member:
    """Waits until one of `members` does lead, and returns that one.

    After a restore the others may name for a while who led at the time of the snapshot.

    Raises:
        OperationError: none does.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        for member in members:
            if member_status(member).is_leader:
                return member
        if time.monotonic() > deadline:
            raise _no_leader(members)
        time.sleep(_LOOK_EVERY_SECONDS)


def require_one_vault(members: Sequence[Member]) -> None:
    """Looks whether unsealed `members` are servers of one Vault.

    Raises:
        OperationError: they are of several.
    """
    seen = {member_status(member).cluster_id: member.address for member in members}
    # One that has heard no leader yet does not tell.
    by_cluster = {cluster: address for cluster, address in seen.items() if cluster is not None}
    if len(by_cluster) > 1:
        several = " and ".join(by_cluster.values())
        raise OperationError(
            f"{several} are not of one Vault: name the servers of one, or delete the storage of "
            "the one that is to join"
        )


def _join(member: Member, leader: str) -> None:
    client = member.client(seconds=_PATIENCE_SECONDS)
    with asking(member, f"join {leader}"):
        try:
            client.sys.join_raft_cluster(leader, leader_ca_cert=member.ca_certificate)
        except VaultError:
            # One that looks for a leader by itself, or that somebody else has join at the same
            # time, refuses what comes second in several ways.
            if _seen_in_time(member, _is_initialised, _OTHERS_SECONDS) is None:
                raise
    # Vault tells that it is initialised once it waits for the keys.
    _await(member, _is_initialised)


def _is_initialised(seen: MemberStatus) -> bool:
    return seen.is_initialised


def _await_leader(members: Sequence[Member]) -> str:
    """The address of the server that leads, as the others get to it."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        for member in members:
            status = member_status(member)
            # A pod may say it is at an address that its certificate does not hold for.
            if status.is_leader and member.transport is not None:
                return member.address
            if status.leader is not None and member.transport is None:
                return status.leader
        if time.monotonic() > deadline:
            raise _no_leader(members)
        time.sleep(_LOOK_EVERY_SECONDS)


def _no_leader(members: Sequence[Member]) -> OperationError:
    return OperationError(
        f"no server of Vault has become the leader in {_PATIENCE_SECONDS} s: read the log of "
        f"{members[0].address}"
    )


def _await(member: Member, is_there: Callable[[MemberStatus], bool]) -> MemberStatus:
    status = _seen_in_time(member, is_there, _PATIENCE_SECONDS)
    if status is None:
        raise OperationError(
            f"Vault at {member.address} is sealed, or has no leader, after "
            f"{_PATIENCE_SECONDS} s: read its log, and see that more than half of the servers "
            "are unsealed and that it gets to them"
        )
    return status


def _seen_in_time(
    member: Member, is_there: Callable[[MemberStatus], bool], seconds: float
) -> MemberStatus | None:
    """What `member` tells once it is as it has to be; None where it has not become so in time."""
    deadline = time.monotonic() + seconds
    while True:
        status = member_status(member)
        if is_there(status):
            return status
        if time.monotonic() > deadline:
            return None
        time.sleep(_LOOK_EVERY_SECONDS)
