"""The program of a folder's tests in the state that a test begins with, as fixtures.

They rest on the folder's own fixture `program`.
"""

import pytest

from .program import Program


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
