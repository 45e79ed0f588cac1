"""A lab without nodes for what happens around `pulumi up`, and the program in it."""

from collections.abc import Iterator

import pytest

from lab.lab import Lab
from lab.toolchain import Toolchain
from tests.labs import started_lab
from tests.program.program import Program

from .command import MeshTrust

CLUSTERS = ("east", "west")


@pytest.fixture(scope="package")
def lab(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A started lab with the committed stack's clusters; a test puts back what it breaks in it."""
    with started_lab(tmp_path_factory.mktemp("operations"), toolchain, CLUSTERS) as lab:
        yield lab


@pytest.fixture(scope="package")
def program(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program, in whatever state the last test left it."""
    return Program(lab, tmp_path_factory.mktemp("configuration"))


@pytest.fixture
def deployed(program: Program) -> Program:
    """The program after an `up` with the committed configuration."""
    if not program.deployed:
        program.up()
    return program


@pytest.fixture
def undeployed(program: Program) -> Program:
    """The program with nothing of it in Vault and the clusters."""
    if program.deployed:
        program.destroy()
    return program


@pytest.fixture(scope="package")
def mesh_trust(program: Program) -> MeshTrust:
    """The command, for the program's stack."""
    return MeshTrust(program)
