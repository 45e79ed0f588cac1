"""How each of Vault's servers does, as it tells everybody who asks."""

from dataclasses import dataclass
from typing import Any

from .members import Member, asking

SHAMIR = "shamir"
"""The seal that people open with keys."""
RAFT = "raft"
"""Vault's integrated storage, whose servers have to join."""


@dataclass(frozen=True)
class MemberStatus:
    """One server at one moment."""

    address: str
    version: str
    is_initialised: bool
    is_sealed: bool
    progress: int
    """Unseal keys given since it was sealed."""
    threshold: int
    """Unseal keys that it takes; of one that unseals itself, recovery keys that an operation takes;
    0 before it is initialised."""
    shares: int
    """Keys that there are."""
    seal: str
    """What unseals it: `shamir`, people with keys; or `transit`, `awskms` and others, by itself;
    `auto` where it does not tell by which of these, as once it is initialised."""
    storage: str
    """Where its data is, such as `raft`."""
    cluster_id: str | None
    """Same for all servers of a Vault; None while it is sealed."""
    leader: str | None
    """Address of the active server, as that one tells it; None: there is none, or it is sealed."""
    is_leader: bool

    @property
    def unseals_itself(self) -> bool:
        """Whether no keys of people unseal it."""
        return self.seal != SHAMIR

    @property
    def waits_for_keys(self) -> bool:
        """Whether people have to give keys before it is of use."""
        return self.is_initialised and self.is_sealed and not self.unseals_itself

    @property
    def role(self) -> str | None:
        """`leader` or `follower`; None while it is sealed, or no server leads."""
        if self.is_leader:
            return "leader"
        return "follower" if self.leader else None


def member_status(member: Member) -> MemberStatus:
    """Asks `member`, without a token.

    Raises:
        OperationError: it does not answer.
    """
    client = member.client()
    with asking(member, "tell how it does"):
        told: dict[str, Any] = client.sys.read_seal_status()
        leading: dict[str, Any] = {} if told["sealed"] else client.sys.read_leader_status()
    # Where there is no high availability, the one server leads.
    is_alone = bool(leading) and not leading.get("ha_enabled", False)
    return MemberStatus(
        address=member.address,
        version=str(told.get("version", "")),
        is_initialised=bool(told["initialized"]),
        is_sealed=bool(told["sealed"]),
        progress=int(told.get("progress", 0)),
        threshold=int(told.get("t", 0)),
        shares=int(told.get("n", 0)),
        seal=_seal(told),
        storage=str(told.get("storage_type", "")),
        cluster_id=told.get("cluster_id") or None,
        leader=leading.get("leader_address") or (member.address if is_alone else None),
        is_leader=is_alone or bool(leading.get("is_self")),
    )


def _seal(told: dict[str, Any]) -> str:
    kind = str(told.get("type", SHAMIR))
    # Of a Vault that has recovery keys it is their kind (vault/logical_system.go).
    return "auto" if kind == SHAMIR and told.get("recovery_seal") else kind
