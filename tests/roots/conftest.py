"""The real engine and a private Vault."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.directory import LabDirectory
from tests.engine import engine
from tests.private_vault import AuditLog, PrivateVault, vault

from .project import Project

__all__ = ["engine", "vault"]


@pytest.fixture(scope="session")
def audit(vault: PrivateVault, tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    return AuditLog(vault.client, tmp_path_factory.mktemp("audit") / "audit.log")


@pytest.fixture
def mount() -> str:
    """A path at which nothing is mounted yet."""
    return f"pki-{secrets.token_hex(4)}"


@pytest.fixture
def project(engine: LabDirectory, vault: PrivateVault, tmp_path: Path) -> Iterator[Project]:
    """A stack with nothing in it; it is destroyed after the test."""
    leads_there = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": vault.token}
    project = Project.make(engine, tmp_path / "project", leads_there)
    yield project
    project.remove()
