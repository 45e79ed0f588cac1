"""A private Vault for these tests, and the plugin that works on it."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.toolchain import Toolchain
from tests.conformance.harness import Plugin, running_plugin
from tests.private_vault import PrivateVault, running_vault

__all__ = ["PrivateVault"]


@pytest.fixture(scope="session")
def vault(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateVault]:
    directory = tmp_path_factory.mktemp("vault")
    with running_vault(toolchain["vault"].path, directory, "http") as running:
        yield running


@pytest.fixture
def vault_over_tls(toolchain: Toolchain, tmp_path: Path) -> Iterator[tuple[PrivateVault, Path]]:
    """A Vault that serves HTTPS, and the certificate of its own CA."""
    ca = tmp_path / "vault-ca.pem"
    arguments = ("-dev-tls", f"-dev-tls-cert-dir={tmp_path}")
    with running_vault(
        toolchain["vault"].path, tmp_path, "https", *arguments, verify=str(ca)
    ) as running:
        yield running, ca


@pytest.fixture(scope="session")
def plugin(vault: PrivateVault) -> Iterator[Plugin]:
    with running_plugin("lab.plugins.vault") as running:
        running.configure({"address": vault.address, "token": vault.token})
        yield running


@pytest.fixture
def path() -> str:
    """A name that nothing in Vault has yet."""
    return f"test-{secrets.token_hex(4)}"
