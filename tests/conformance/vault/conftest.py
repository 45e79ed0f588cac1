"""A private Vault for these tests, and the plugin that works on it."""

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import pytest

from lab.toolchain import Toolchain
from tests.conformance.harness import Plugin, running_plugin

_START_SECONDS = 30


@dataclass(frozen=True)
class PrivateVault:
    """A Vault in memory: its address, its root token, and a plain client to look into it.

    The client is an `hvac.Client`, most of whose methods have no types.
    """

    address: str
    token: str
    client: Any


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running_vault(
    executable: Path, directory: Path, scheme: str, *arguments: str, verify: str | bool = True
) -> Iterator[PrivateVault]:
    token = secrets.token_hex(16)
    address = f"127.0.0.1:{_free_port()}"
    with (
        (directory / "vault.log").open("w") as log,
        subprocess.Popen(
            [executable, "server", "-dev", f"-dev-listen-address={address}", *arguments],
            env={"HOME": str(directory), "VAULT_DEV_ROOT_TOKEN_ID": token},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            client = hvac.Client(f"{scheme}://{address}", token=token, verify=verify)
            _await_ready(client, process)
            yield PrivateVault(f"{scheme}://{address}", token, client)
        finally:
            process.terminate()
            process.wait(timeout=10)
            client.adapter.close()


@pytest.fixture(scope="session")
def vault(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateVault]:
    directory = tmp_path_factory.mktemp("vault")
    with _running_vault(toolchain["vault"].path, directory, "http") as running:
        yield running


@pytest.fixture
def vault_over_tls(toolchain: Toolchain, tmp_path: Path) -> Iterator[tuple[PrivateVault, Path]]:
    """A Vault that serves HTTPS, and the certificate of its own CA."""
    ca = tmp_path / "vault-ca.pem"
    arguments = ("-dev-tls", f"-dev-tls-cert-dir={tmp_path}")
    with _running_vault(
        toolchain["vault"].path, tmp_path, "https", *arguments, verify=str(ca)
    ) as running:
        yield running, ca


def _await_ready(client: hvac.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.is_authenticated():
                return
        except OSError:
            # No one listens yet, or the file of the CA is not written yet.
            pass
        time.sleep(0.1)
    pytest.fail(f"Vault is not ready after {_START_SECONDS} s, or ended: {process.poll()}")


@pytest.fixture(scope="session")
def plugin(vault: PrivateVault) -> Iterator[Plugin]:
    with running_plugin("lab.plugins.vault") as running:
        running.configure({"address": vault.address, "token": vault.token})
        yield running


@pytest.fixture
def path() -> str:
    """A name that nothing in Vault has yet."""
    return f"test-{secrets.token_hex(4)}"
