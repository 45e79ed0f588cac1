"""A lab with real servers, and the program in it."""

from collections.abc import Iterator

import pytest

from lab.lab import Lab
from lab.toolchain import Toolchain
from tests.labs import started_lab

from .audit import audit
from .by_hand import by_hand, shell
from .inventory import Inventory, await_own_objects, take_inventory
from .program import Program
from .states import deployed, undeployed

__all__ = ["audit", "by_hand", "deployed", "shell", "undeployed"]


@pytest.fixture(scope="session")
def lab(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A started lab with the committed stack's clusters, and one more that it does not name."""
    folder = tmp_path_factory.mktemp("program")
    with started_lab(folder, toolchain, ["east", "west", "north"]) as lab:
        yield lab


@pytest.fixture(scope="session")
def untouched(lab: Lab) -> Inventory:
    """What was in Vault and the clusters before the program ran."""
    await_own_objects(lab)
    return take_inventory(lab)


@pytest.fixture(scope="session")
def program(lab: Lab, untouched: Inventory, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program, in whatever state the last test left it."""
    assert untouched.vault
    return Program(lab, tmp_path_factory.mktemp("configuration"))
