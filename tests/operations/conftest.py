"""A lab without nodes for what happens around `pulumi up`, and the program in it."""

from collections.abc import Iterator

import pytest

from lab.lab import Lab
from lab.toolchain import Toolchain
from tests.labs import started_lab
from tests.program.audit import audit
from tests.program.program import Program
from tests.program.states import deployed, undeployed

from .command import MeshTrust

__all__ = ["audit", "deployed", "undeployed"]

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


@pytest.fixture(scope="package")
def mesh_trust(program: Program) -> MeshTrust:
    """The command, for the program's stack."""
    return MeshTrust(program)
