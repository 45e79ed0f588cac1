"""What a lab's Vault is asked to write, as a fixture on a folder's own fixture `lab`."""

from collections.abc import Iterator

import pytest

from lab.lab import Lab
from tests.private_vault import AuditLog

from .inventory import vault_client


@pytest.fixture(scope="module")
def audit(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditLog]:
    """What the lab's Vault is asked to write while this file's tests run."""
    vault = vault_client(lab)
    log = AuditLog(vault, tmp_path_factory.mktemp("audit") / "audit.log")
    yield log
    vault.sys.disable_audit_device("file")
