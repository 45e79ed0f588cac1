"""A private Vault for tests of what Vault makes of policies."""

from collections.abc import Iterator

import pytest

from lab.toolchain import Toolchain
from tests.private_vault import PrivateVault, running_vault

from .operations import Setup, set_up


@pytest.fixture(scope="session")
def vault(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateVault]:
    directory = tmp_path_factory.mktemp("vault")
    with running_vault(toolchain["vault"].path, directory, "http") as running:
        yield running


@pytest.fixture(scope="session")
def setup(vault: PrivateVault) -> Setup:
    """Two clusters, set up in the Vault."""
    return set_up(vault)
