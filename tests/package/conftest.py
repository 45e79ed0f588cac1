"""A Vault, and an engine to which the components are a package like any other."""

import os

import pytest

from lab.directory import LabDirectory
from tests.engine import engine, engine_environment
from tests.private_vault import vault

__all__ = ["engine", "vault"]


@pytest.fixture(scope="session")
def environment(engine: LabDirectory) -> dict[str, str]:
    """Environment variables of a user's shell."""
    return {**os.environ, **engine_environment(engine)}
