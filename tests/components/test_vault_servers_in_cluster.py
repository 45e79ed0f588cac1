"""Servers that people initialise and unseal, read from a real API server."""

import time
from collections.abc import Sequence

import pytest

from mesh_trust.readiness import Ready
from mesh_trust.vault_waiting import what_servers_wait_for

from .installed import NAME, InstalledVault

INSIDE = "https://vault-active.{}.svc:8200"
INITIALISE = "run `mesh-trust vault init --keys-file FILE --token-file FILE`"
UNSEAL = "run `mesh-trust vault unseal --keys-file FILE`"
# As the kubelet reports of `vault status`, the chart's readiness probe.
NEW = (
    "Readiness probe failed: Key                Value\n---                -----\n"
    "Seal Type          shamir\nInitialized        false\nSealed             true\n"
    "Total Shares       0\nThreshold          0\nUnseal Progress    0/0\n"
    "Unseal Nonce       n/a\nVersion            1.13.1\nStorage Type       raft\n"
)
SEALED = NEW.replace("Initialized        false", "Initialized        true")


@pytest.fixture
def servers(installed: InstalledVault) -> InstalledVault:
    """Three of them on their node, running and sealed as they are at first."""
    installed.servers = 3
    installed.stateful_set(replicas=3)
    installed.service("ClusterIP")
    for number in range(3):
        installed.schedule(number)
        installed.report("Running", number=number, state={"running": {}})
        label(installed, number, initialised=False, sealed=True)
        installed.event(installed.pod(number), "Pod", "Unhealthy", NEW)
    return installed


def label(installed: InstalledVault, number: int, *, initialised: bool, sealed: bool) -> None:
    labels = {
        "vault-initialized": str(initialised).lower(),
        "vault-sealed": str(sealed).lower(),
    }
    installed.core.patch_namespaced_pod(
        f"{NAME}-{number}", installed.namespace, {"metadata": {"labels": labels}}
    )


def pods(installed: InstalledVault, what: str, *numbers: int) -> str:
    return ", ".join(
        f"Vault in pod {installed.namespace}/{NAME}-{each} is {what}" for each in numbers
    )


def test_what_they_wait_for_is_told_from_another_stack(servers: InstalledVault) -> None:
    def told(name: str = NAME) -> Sequence[str]:
        command = "mesh-trust --stack own-vault"
        return what_servers_wait_for(servers.access, servers.namespace, name, command)

    # An event of a pod may take a moment to be seen.
    deadline = time.monotonic() + 10
    while (lines := told()) == () and time.monotonic() < deadline:
        time.sleep(0.1)
    assert lines == (
        f"{pods(servers, 'not initialised', 0, 1, 2)}: run `mesh-trust --stack own-vault vault "
        "init --keys-file FILE --token-file FILE`",
    )
    for number in range(3):
        label(servers, number, initialised=True, sealed=True)
    servers.report("Running", number=1, ready=True, state={"running": {}})
    assert [each.partition(": ")[0] for each in told()] == [pods(servers, "sealed", 0, 2)]
    assert told("another") == ()


def test_servers_that_run_are_ready_to_be_initialised(servers: InstalledVault) -> None:
    assert servers.look_until_ready() == Ready(
        INSIDE.format(servers.namespace),
        f"{pods(servers, 'not initialised', 0, 1, 2)}: {INITIALISE}",
    )


def test_what_is_to_be_done_is_told_of_each(servers: InstalledVault) -> None:
    servers.report("Running", number=0, ready=True, state={"running": {}})
    label(servers, 0, initialised=True, sealed=False)
    label(servers, 1, initialised=True, sealed=True)

    assert servers.look_until_ready().remark == (
        f"{pods(servers, 'sealed', 1)}: {UNSEAL}; "
        f"{pods(servers, 'not initialised', 2)}: {INITIALISE}"
    )


def test_nothing_is_to_be_done_once_all_are_ready(servers: InstalledVault) -> None:
    for number in range(3):
        servers.report("Running", number=number, ready=True, state={"running": {}})

    assert servers.look_until_ready() == Ready(INSIDE.format(servers.namespace))


def test_one_that_does_not_run_is_waited_for(servers: InstalledVault) -> None:
    servers.report(
        "Pending",
        number=2,
        state={"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
    )

    found = servers.look_until("image", "vault-2 gets no image")
    assert found.patience_seconds == 60
    servers.core.delete_namespaced_pod(f"{NAME}-2", servers.namespace, grace_period_seconds=0)
    assert "vault-2" in servers.look_until("no host").reason


@pytest.mark.parametrize(
    ("probe", "what", "advice"),
    [(NEW, "not initialised", INITIALISE), (SEALED, "sealed", UNSEAL)],
)
def test_a_single_server_tells_by_its_probe(
    installed: InstalledVault, probe: str, what: str, advice: str
) -> None:
    installed.servers = 1
    installed.stateful_set()
    installed.service("ClusterIP")
    installed.schedule()
    installed.report("Running", state={"running": {}})
    # As long as nothing is told, it is waited for.
    assert installed.look_until("not ready").kind == "not ready"
    installed.event(installed.pod(), "Pod", "Unhealthy", probe)

    assert installed.look_until_ready() == Ready(
        f"https://vault.{installed.namespace}.svc:8200", f"{pods(installed, what, 0)}: {advice}"
    )


def test_a_pod_of_before_an_upgrade_is_told_with_what_follows(servers: InstalledVault) -> None:
    for number in range(3):
        servers.report("Running", number=number, ready=True, state={"running": {}})
    servers.upgrade("docker.io/hashicorp/vault:2.0.5")

    deadline = time.monotonic() + 60
    remark = ""
    while "vault-2 still runs as before" not in remark:
        assert time.monotonic() < deadline, remark
        remark = servers.look_until_ready().remark or ""
    assert remark.count("wait until it is unsealed before the next one") == 3
    assert f"delete pod -n {servers.namespace} vault-1`" in remark
    assert "mode dev" not in remark
