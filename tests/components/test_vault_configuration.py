"""Vault itself takes the configuration that is rendered for it."""

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import pytest

from lab.certificates import Identity, issue_server, new_authority
from lab.toolchain import Toolchain
from mesh_trust.vault_configuration import SERVER_PORT, Seal, server_configuration
from mesh_trust.vault_health import health_obstacle
from mesh_trust.vault_seal import SealArgs, seal_plan
from tests.private_vault import PrivateVault, running_vault

_SECONDS = 30


@dataclass
class Server:
    """A server on this machine, with a configuration whose paths and ports are the test's."""

    executable: Path
    folder: Path
    port: int
    authority: Identity
    environment: Mapping[str, str]

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_certificate(self) -> str:
        return self.authority.certificate.decode()

    @property
    def client(self) -> Any:
        return hvac.Client(self.address, token="", verify=str(self.folder / "tls" / "ca.crt"))

    def certify(self) -> None:
        """A certificate of its own in the place of the one before, as a Secret's files change."""
        identity = issue_server(self.authority, "vault", ["127.0.0.1", "localhost"])
        (self.folder / "tls" / "tls.key").write_bytes(identity.private_key)
        (self.folder / "tls" / "tls.crt").write_bytes(identity.certificate)

    def configure(self, text: str) -> Path:
        for found, put in (
            ("/vault/", f"{self.folder}/"),
            ("HOSTNAME", "vault-0"),
            (f"[::]:{SERVER_PORT}", f"127.0.0.1:{self.port}"),
            (f"[::]:{SERVER_PORT + 1}", f"127.0.0.1:{self.port + 1}"),
        ):
            text = text.replace(found, put)
        file = self.folder / "storageconfig.hcl"
        file.write_text(text)
        return file

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        command: list[str | Path] = [
            *(self.executable, "server", f"-config={self.folder / 'storageconfig.hcl'}")
        ]
        environment = {
            "HOME": str(self.folder),
            "VAULT_API_ADDR": self.address,
            "VAULT_CLUSTER_ADDR": f"https://127.0.0.1:{self.port + 1}",
            **self.environment,
        }
        with (
            (self.folder / "log").open("a") as log,
            subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
        ):
            try:
                yield process
            finally:
                process.terminate()

    def until(self, kind: str | None) -> None:
        """Waits until it is in the way that components call `kind`; None: it can be worked with."""

        def found() -> bool:
            obstacle = health_obstacle(self.address, self.ca_certificate)
            return (None if obstacle is None else obstacle.kind) == kind

        until(found, (self.folder / "log").read_text)


def until(is_so: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.1)


@pytest.fixture
def server(toolchain: Toolchain, tmp_path: Path) -> Server:
    authority = new_authority("Vault's own CA")
    for folder in ("tls", "data", "seal"):
        (tmp_path / folder).mkdir(mode=0o700)
    (tmp_path / "tls" / "ca.crt").write_bytes(authority.certificate)
    made = Server(toolchain["vault"].path, tmp_path, _two_ports(), authority, {})
    made.certify()
    return made


@pytest.fixture
def other(toolchain: Toolchain, tmp_path: Path) -> Iterator[PrivateVault]:
    """Another Vault, whose transit engine has a key."""
    folder = tmp_path / "other"
    folder.mkdir()
    arguments = ("-dev-tls", f"-dev-tls-cert-dir={folder}")
    ca = str(folder / "vault-ca.pem")
    with running_vault(toolchain["vault"].path, folder, "https", *arguments, verify=ca) as vault:
        vault.client.sys.enable_secrets_engine("transit")
        vault.client.secrets.transit.create_key("unseal")
        yield vault


def presented(server: Server) -> str:
    return ssl.get_server_certificate(("127.0.0.1", server.port))


def test_a_server_takes_up_a_renewed_certificate_at_a_signal_and_stays_unsealed(
    server: Server,
) -> None:
    server.configure(server_configuration())
    with server.running() as process:
        server.until("uninitialised")
        keys = server.client.sys.initialize(secret_shares=1, secret_threshold=1)
        server.until("sealed")
        server.client.sys.submit_unseal_key(keys["keys"][0])
        server.until(None)
        status = server.client.sys.read_seal_status()
        assert (status["storage_type"], status["type"]) == ("raft", "shamir")
        before = presented(server)
        server.certify()
        # By itself it does not look.
        assert presented(server) == before
        os.kill(process.pid, signal.SIGHUP)
        until(lambda: presented(server) != before, (server.folder / "log").read_text)
        server.until(None)


def test_a_server_unseals_itself_by_another_vault(
    server: Server, other: PrivateVault, tmp_path: Path
) -> None:
    other.client.sys.create_or_update_policy(
        "unseal",
        'path "transit/encrypt/unseal" { capabilities = ["update"] }\n'
        'path "transit/decrypt/unseal" { capabilities = ["update"] }\n',
    )
    token = other.client.auth.token.create(policies=["unseal"], period="1h", no_parent=True)
    args: SealArgs = {
        "transit": {
            "address": other.address,
            "key_name": "unseal",
            "token": token["auth"]["client_token"],
            "ca_certificate": (tmp_path / "other" / "vault-ca.pem").read_text(),
        }
    }
    plan = seal_plan(args)
    for name in plan.files:
        (server.folder / "seal" / name).write_text(str(plan.content[name]))
    server.environment = {
        **{name: str(plan.content[name]) for name in plan.variables},
        # As the chart has it in every pod.
        "VAULT_ADDR": "https://127.0.0.1:8200",
    }
    server.configure(server_configuration(seal=plan.seal))
    with server.running():
        server.until("uninitialised")
        keys = server.client.sys.initialize(recovery_shares=1, recovery_threshold=1)
        assert not keys["keys"]
        server.until(None)
        assert server.client.sys.read_seal_status()["recovery_seal"] is True
    with server.running():
        server.until(None)
    other.client.sys.seal()
    with server.running() as process:
        # Without the other one it does not even start.
        assert process.wait(_SECONDS) != 0


SEALS: Mapping[str, Any] = {
    "awskms": {"region": "eu-central-1", "kms_key_id": "alias/vault"},
    "gcpckms": {"project": "p", "region": "global", "key_ring": "ring", "crypto_key": "key"},
    "azurekeyvault": {"tenant_id": "0-1", "vault_name": "keys", "key_name": "vault"},
    "transit": {"address": "https://127.0.0.1:1", "key_name": "unseal", "token": "hush"},
}


def diagnosed(server: Server) -> str:
    """What Vault finds of parsing its configuration."""
    done = subprocess.run(
        [
            *(server.executable, "operator", "diagnose", "-format=json"),
            f"-config={server.folder / 'storageconfig.hcl'}",
            # It would ask the clouds, and see that the address is free.
            *("-skip=Create Vault Server Configuration Seals", "-skip=Start Listeners"),
            *("-skip=Check Transit Seal TLS", "-skip=Check Storage"),
        ],
        env={"HOME": str(server.folder), "VAULT_CLUSTER_ADDR": server.address},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    document = json.loads(done.stdout)
    [parsed] = [each for each in document["children"] if each["name"] == "Parse Configuration"]
    return str(parsed["status"])


@pytest.mark.parametrize("kind", SEALS)
def test_vaults_own_parser_takes_each_seal(server: Server, kind: str) -> None:
    seal = seal_plan({kind: SEALS[kind]}).seal  # type: ignore[misc]
    peers = [f"vault-{number}.vault-internal" for number in range(3)]
    server.configure(server_configuration(peers=peers, seal=seal, registers=True))
    assert diagnosed(server) == "ok"


def test_vaults_own_parser_does_not_take_just_anything(server: Server) -> None:
    broken = server_configuration(seal=Seal("awskms", {})).replace("}", "", 1)
    server.configure(broken)
    assert diagnosed(server) == "fail"


def _two_ports() -> int:
    """The first of two ports in a row that are free."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
