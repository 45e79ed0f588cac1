"""One server in mode standalone, which people unseal; and three that unseal themselves by it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hvac
import pytest

from lab.lab import Lab
from tests.program.handshake import handshake

from .own_vault import (
    SECONDS,
    Servers,
    Stack,
    configure_trust,
    delete_namespaces,
    engine_is_there,
    install_values,
    next_addresses,
)
from .pods import until

pytestmark = pytest.mark.soak

KEY = "unseal-others"
SECOND = "second-vault"
"""Namespace of the one that unseals itself."""
POLICY = f"""
path "transit/encrypt/{KEY}" {{ capabilities = ["update"] }}
path "transit/decrypt/{KEY}" {{ capabilities = ["update"] }}
"""


@pytest.fixture(scope="module")
def folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    engine_is_there(lab)
    return tmp_path_factory.mktemp("stacks")


@pytest.fixture(scope="module")
def stacks(lab: Lab, folder: Path) -> Iterator[dict[str, Stack]]:
    """Each of a Vault before that of the trust in it; what needs another one comes after that."""
    names = ("alone", "trust-alone", "unsealing", "trust-unsealing")
    made = {name: Stack(lab, name, folder) for name in names}
    yield made
    for stack in reversed(made.values()):
        stack.remove()
    delete_namespaces(lab, "vault", SECOND)


@pytest.fixture(scope="module")
def alone(lab: Lab) -> Servers:
    return Servers(lab, replicas=1)


def test_a_single_server_is_set_up_lost_and_unsealed(
    lab: Lab, stacks: dict[str, Stack], folder: Path, alone: Servers
) -> None:
    vault, trust = stacks["alone"], stacks["trust-alone"]
    [address] = next_addresses(lab, 1)
    vault.configure(
        management={"context": "mgmt"}, vaultInstall=install_values("standalone", address)
    )
    assert "is not initialised: run `mesh-trust --stack alone vault init" in vault.up()
    assert vault.outputs()["vaultAddress"] == f"https://{address}:8200"

    trust.token = alone.initialise(vault, folder)
    until(alone.are_ready, "a server that is ready", SECONDS)
    assert "warning" not in vault.up("--expect-no-changes")
    configure_trust(trust, vault, "west")
    trust.up()
    assert handshake(lab, "west")

    alone.lose("vault-0")
    unseal = "is sealed: run `mesh-trust --stack alone vault unseal"
    until(lambda: alone.status("vault-0").get("initialized"), "a server that answers", SECONDS)
    assert unseal in vault.up()
    with pytest.raises(AssertionError):
        trust.up()
    vault.mesh_trust("vault", "unseal", "--keys-file", str(folder / "keys.json"))
    until(alone.are_ready, "a server that is ready", SECONDS)
    assert unseal not in vault.up("--expect-no-changes")
    assert handshake(lab, "west")
    trust.run("preview", "--expect-no-changes")


def test_three_servers_come_back_unsealed_when_all_were_lost(
    lab: Lab, stacks: dict[str, Stack], alone: Servers, tmp_path: Path
) -> None:
    other = stacks["alone"].outputs()
    (tmp_path / "ca.pem").write_text(other["vaultCaCertificate"])
    transit: Any = hvac.Client(other["vaultAddress"], verify=str(tmp_path / "ca.pem"))
    assert alone.keys is not None
    transit.token = alone.keys["root_token"]
    transit.sys.enable_secrets_engine("transit")
    transit.secrets.transit.create_key(KEY)
    transit.sys.create_or_update_policy(KEY, POLICY)
    token = transit.auth.token.create_orphan(policies=[KEY], period="24h")

    vault, trust = stacks["unsealing"], stacks["trust-unsealing"]
    servers = Servers(lab, SECOND)
    # That of all servers comes first.
    address = next_addresses(lab, 2)[1]
    seal = {
        "address": other["vaultAddress"],
        "keyName": KEY,
        "caCertificate": other["vaultCaCertificate"],
    }
    vault.configure(
        management={"context": "mgmt"},
        vaultInstall=install_values(
            *("ha", address),
            namespace=SECOND,
            seal={"transit": seal},
            # What the whole cluster has once only is that of the other Vault.
            values={"server": {"affinity": "", "authDelegator": {"enabled": False}}},
        ),
    )
    vault.configure_secret("vaultInstall.seal.transit.token", token["auth"]["client_token"])
    assert "is not initialised: run `mesh-trust --stack unsealing vault init" in vault.up()

    trust.token = servers.initialise(vault, tmp_path)
    until(servers.are_ready, "servers that are ready", SECONDS)
    configure_trust(trust, vault, "east")
    trust.up()
    assert handshake(lab, "east")

    servers.lose(*servers.names)
    until(servers.are_ready, "servers that are ready", SECONDS)
    assert not any(servers.status(pod)["sealed"] for pod in servers.names)
    assert "warning" not in vault.up("--expect-no-changes")
    until(servers.are_led, "a server that leads", SECONDS)
    assert handshake(lab, "east")
    configure_trust(trust, vault, "east", tokenTtlSeconds=1800)
    trust.up()
    assert handshake(lab, "east")
