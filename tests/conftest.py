"""What every test of real processes starts from."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

if TYPE_CHECKING:
    from lab.toolchain import Toolchain

_TESTS = Path(__file__).parent
_LONGEST_FIRST = ("program", "nodes")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keeps the tests of a folder, which share servers, in one process.

    In the hook behind it, pytest-xdist would have read the marks already.
    """
    item.add_marker(pytest.mark.xdist_group(_group(item)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several processes, has what takes longest come first, so that none waits at the end."""
    if config.getoption("loadgroup", False):
        items.sort(key=_rank)


def _group(item: pytest.Item) -> str:
    return "-".join(item.path.relative_to(_TESTS).parent.parts[:2])


def _rank(item: pytest.Item) -> int:
    group = _group(item)
    return _LONGEST_FIRST.index(group) if group in _LONGEST_FIRST else len(_LONGEST_FIRST)


@pytest.fixture(scope="session")
def toolchain() -> "Toolchain":
    """The real tools, prepared as `make tools` prepares them."""
    # Imported here: the unit tests, which need no tools, start faster without it.
    from lab.toolchain import prepare

    return prepare(Console(stderr=True))
