"""A real API server with a controller manager and without nodes, and real Vault processes."""

import io
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from rich.console import Console

from lab import processes
from lab.directory import LabDirectory
from lab.ports import assign_ports
from lab.progress import Steps
from lab.startup import bring_up
from lab.toolchain import Toolchain
from lab.vault_server import vault_server
from mesh_trust.cluster_access import ClusterAccess
from tests.conformance.kubernetes.conftest import CLUSTER, kubeconfig_path

from .gloo import GlooHand, define
from .installed import InstalledVault

__all__ = ["kubeconfig_path"]

_START_SECONDS = 60


@pytest.fixture(scope="session")
def access(kubeconfig_path: Path) -> ClusterAccess:
    """The cluster as components look into it."""
    return ClusterAccess(str(kubeconfig_path), CLUSTER)


@pytest.fixture
def installed(kubeconfig_path: Path) -> Iterator[InstalledVault]:
    """A namespace and a node of the test's own, and the hand of whoever changes what is in them."""
    installed = InstalledVault(kubeconfig_path)
    yield installed
    installed.remove()


@pytest.fixture(scope="session")
def defined(kubeconfig_path: Path) -> Path:
    """The kubeconfig of the cluster, which has Gloo's definition of RootTrustPolicies."""
    define(kubeconfig_path)
    return kubeconfig_path


@pytest.fixture
def gloo(defined: Path) -> Iterator[GlooHand]:
    """A namespace of the test's own, and the hand of Gloo's management server."""
    gloo = GlooHand(defined)
    yield gloo
    gloo.remove()


@dataclass(frozen=True)
class DevelopmentVault:
    """A Vault as its chart runs it in mode dev."""

    port: int
    token: str
    log: Path


@pytest.fixture(scope="session")
def development_vault(
    toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DevelopmentVault]:
    home = tmp_path_factory.mktemp("development-vault")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    vault = DevelopmentVault(port, secrets.token_hex(16), home / "vault.log")
    address = f"127.0.0.1:{port}"
    with (
        vault.log.open("w") as log,
        subprocess.Popen(
            [toolchain["vault"].path, "server", "-dev", f"-dev-listen-address={address}"],
            env={"HOME": str(home), "VAULT_DEV_ROOT_TOKEN_ID": vault.token},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            _await_answer(f"http://{address}/v1/sys/health")
            _await_secrets(vault)
            yield vault
        finally:
            process.terminate()


@dataclass(frozen=True)
class ServedVault:
    """A Vault that keeps its data and serves TLS, as the lab makes it."""

    address: str
    directory: LabDirectory

    @property
    def ca_certificate(self) -> str:
        return self.directory.vault_authority.read_text()


@pytest.fixture(scope="module")
def new_vault(
    toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedVault]:
    """It is not initialised yet."""
    directory = LabDirectory(tmp_path_factory.mktemp("vault"))
    directory.create()
    port = assign_ports(("vault",), {}, ())["vault"]
    server = vault_server(directory, toolchain["vault"].path, port)
    try:
        with Steps(Console(file=io.StringIO())) as steps:
            bring_up(directory, [server], steps)
        yield ServedVault(server.address, directory)
    finally:
        processes.end(processes.running(directory))


def _await_secrets(vault: DevelopmentVault) -> None:
    """Waits for what it prints last; it answers before."""
    deadline = time.monotonic() + _START_SECONDS
    while f"Root Token: {vault.token}\n" not in vault.log.read_text():
        assert time.monotonic() < deadline, "Vault does not print its root token"
        time.sleep(0.05)


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.exceptions.ConnectionError:
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer after {_START_SECONDS} s")
