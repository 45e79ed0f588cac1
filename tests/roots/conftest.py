"""The real engine and a private Vault."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.directory import LabDirectory
from lab.toolchain import Toolchain
from tests.engine import prepare_engine
from tests.private_vault import AuditLog, PrivateVault, running_vault

from .project import Project


@pytest.fixture(scope="session")
def vault(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateVault]:
    directory = tmp_path_factory.mktemp("vault")
    with running_vault(toolchain["vault"].path, directory, "http") as running:
        yield running


@pytest.fixture(scope="session")
def audit(vault: PrivateVault, tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    return AuditLog(vault.client, tmp_path_factory.mktemp("audit") / "audit.log")


@pytest.fixture
def mount() -> str:
    """A path at which nothing is mounted yet."""
    return f"pki-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def engine(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> LabDirectory:
    return prepare_engine(tmp_path_factory.mktemp("engine"), toolchain)


@pytest.fixture
def project(engine: LabDirectory, vault: PrivateVault, tmp_path: Path) -> Iterator[Project]:
    """A stack with nothing in it; it is destroyed after the test."""
    leads_there = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": vault.token}
    project = Project.make(engine, tmp_path / "project", leads_there)
    yield project
    project.destroy()
