"""A private Vault for tests of what Vault makes of policies."""

import pytest

from tests.private_vault import PrivateVault, vault

from .operations import Setup, set_up

__all__ = ["vault"]


@pytest.fixture(scope="session")
def setup(vault: PrivateVault) -> Setup:
    """Two clusters, set up in the Vault."""
    return set_up(vault)
