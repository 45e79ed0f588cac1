"""What `verify` says of the servers of a stack that installs Vault."""

from collections.abc import Mapping

import pytest

from mesh_trust.operations.certificates import Thresholds
from mesh_trust.operations.finding import Finding, State
from mesh_trust.operations.runner import run_checks
from mesh_trust.operations.vault.checks import server_checks
from mesh_trust.operations.vault.members import Member

from .commands import VaultCommand
from .conftest import NewVault, OneVault
from .test_init import SMALL


def found(
    vault: OneVault, token: str = "", replicas: int = 3, thresholds: Thresholds | None = None
) -> list[Finding]:
    members = [Member(each.address, each.ca_file) for each in vault.servers]
    return run_checks(server_checks(members, replicas, token, thresholds or Thresholds()))


def states(findings: list[Finding]) -> Mapping[str, list[State]]:
    told: dict[str, list[State]] = {}
    for each in findings:
        told.setdefault(each.check, []).append(each.state)
        assert "\n" not in f"{each.seen}{each.fix}"
        assert each.state is State.OK or each.fix or each.seen.startswith("not looked at")
    return told


def of(findings: list[Finding], check: str) -> list[Finding]:
    return [each for each in findings if each.check == check]


def test_servers_that_nobody_has_initialised(new_vault: NewVault) -> None:
    findings = found(new_vault(raft=3))

    assert states(findings) == {
        "vault-servers": [State.FAILED],
        "audit-device": [State.UNKNOWN],
        "vault-server": [State.FAILED] * 3,
        "vault-certificate": [State.UNKNOWN] * 3,
    }
    for each in of(findings, "vault-server"):
        assert each.seen == "it is not initialised"
        assert "mesh-trust vault init" in str(each.fix)


def test_servers_that_are_well_and_one_that_is_lost(
    new_vault: NewVault, command: VaultCommand
) -> None:
    vault = new_vault(raft=3)
    command.done(*vault.init(*SMALL))
    well = {
        "vault-servers": [State.OK],
        "audit-device": [State.OK],
        "vault-server": [State.OK] * 3,
        "vault-certificate": [State.OK] * 3,
    }
    token = vault.token()

    assert states(found(vault)) == {**well, "audit-device": [State.WARNING]}
    bare = found(vault, token)
    assert states(bare) == {**well, "audit-device": [State.FAILED]}
    assert "there is none" in of(bare, "audit-device")[0].seen
    log = vault.folder / "audit.log"
    vault.client().sys.enable_audit_device(
        "file", path="mesh-trust", options={"file_path": str(log)}
    )
    whole = found(vault, token)
    assert states(whole) == well
    assert of(whole, "audit-device")[0].seen == "mesh-trust/ is a file"
    assert {each.seen.rpartition(", ")[2] for each in of(whole, "vault-server")} == {
        *("leader", "follower")
    }
    assert "days" in of(whole, "vault-certificate")[0].seen

    # Neighbours: a certificate that ends soon, fewer servers than there are to be, a wrong token.
    ending = found(vault, token, thresholds=Thresholds(fail_days=100_000))
    assert states(ending)["vault-certificate"] == [State.FAILED] * 3
    fewer = found(vault, token, replicas=5)
    assert states(fewer)["vault-servers"] == [State.WARNING, State.OK]
    assert "there are 3 servers, and the configuration says 5" in fewer[0].seen
    assert states(found(vault, "not-a-token"))["audit-device"] == [State.UNKNOWN]

    follower = next(
        each for each in vault.servers if not each.client().sys.read_leader_status()["is_self"]
    )
    follower.stop()
    lost = found(vault, token)
    assert sorted(states(lost)["vault-server"]) == [State.FAILED, State.OK, State.OK]
    assert states(lost)["vault-servers"] == [State.OK]
    assert "2 of 3 servers are well" in of(lost, "vault-servers")[0].seen
    follower.start()
    sealed = found(vault, token)
    assert any("it is sealed" in each.seen for each in of(sealed, "vault-server"))


@pytest.mark.parametrize("token", ["", "not-a-token"])
def test_servers_of_two_vaults(new_vault: NewVault, command: VaultCommand, token: str) -> None:
    one, other = new_vault(raft=1), new_vault(raft=1)
    for vault in (one, other):
        command.done(*vault.init(*SMALL))
    members = [Member(each.servers[0].address, each.servers[0].ca_file) for each in (one, other)]

    findings = run_checks(server_checks(members, 2, token, Thresholds()))

    [servers] = of(findings, "vault-servers")
    assert servers.state is State.FAILED
    assert "they are not of one Vault" in servers.seen
