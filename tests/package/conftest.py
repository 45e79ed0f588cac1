"""A Vault, and an engine to which the components are a package like any other."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.directory import LabDirectory
from lab.toolchain import Toolchain
from tests.engine import engine_environment, prepare_engine
from tests.private_vault import PrivateVault, running_vault


@pytest.fixture(scope="session")
def engine(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> LabDirectory:
    return prepare_engine(tmp_path_factory.mktemp("engine"), toolchain)


@pytest.fixture(scope="session")
def vault(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateVault]:
    directory: Path = tmp_path_factory.mktemp("vault")
    with running_vault(toolchain["vault"].path, directory, "http") as running:
        yield running


@pytest.fixture(scope="session")
def environment(engine: LabDirectory) -> dict[str, str]:
    """Environment variables of a user's shell."""
    return {**os.environ, **engine_environment(engine)}
