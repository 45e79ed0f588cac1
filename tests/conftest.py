"""What every test of real processes starts from."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

if TYPE_CHECKING:
    from lab.toolchain import Toolchain

_TESTS = Path(__file__).parent


# Before the plugin that reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps a folder's tests together, in order, on one worker, as they share servers.

    The program's come first: they take longest, and whatever came first would leave them alone at
    the end.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_folder(item)))
    items.sort(key=lambda item: _folder(item) != "program")


def _folder(item: pytest.Item) -> str:
    return str(item.path.parent.relative_to(_TESTS))


@pytest.fixture(scope="session")
def toolchain() -> "Toolchain":
    """The real tools, prepared as `make tools` prepares them."""
    # Imported here: the unit tests, which need no tools, start faster without it.
    from lab.toolchain import prepare

    return prepare(Console(stderr=True))
