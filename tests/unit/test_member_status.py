"""How a server does, from what Vault tells of it."""

from typing import Any

import pytest

from mesh_trust.operations.vault.member_status import member_status

TOLD = {"initialized": True, "sealed": True, "t": 2, "n": 3, "type": "shamir", "version": "1.13.1"}


class Asked:
    """All that is asked of a member that is sealed."""

    address = "https://vault.example.com"

    def __init__(self, told: dict[str, Any]) -> None:
        self.sys = self
        self._told = told

    def client(self) -> "Asked":
        return self

    def read_seal_status(self) -> dict[str, Any]:
        return self._told


@pytest.mark.parametrize(
    ("told", "waits", "seal"),
    [
        ({}, True, "shamir"),
        ({"recovery_seal": False}, True, "shamir"),
        # A Vault with recovery keys tells of their kind once it is initialised.
        ({"recovery_seal": True}, False, "auto"),
        ({"type": "transit", "recovery_seal": True, "initialized": False}, False, "transit"),
    ],
)
def test_who_unseals_it(told: dict[str, Any], waits: bool, seal: str) -> None:
    member: Any = Asked({**TOLD, **told})

    status = member_status(member)

    assert (status.waits_for_keys, status.seal) == (waits, seal)
