"""What every test of real processes starts from."""

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

    from lab.toolchain import Toolchain

_LONGEST_FIRST = ("program", "nodes")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling":
    """Keeps the tests of a folder, which share servers, in one process.

    The marks that pytest-xdist has for that are without effect with pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _folder(nodeid)

    return FolderScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several processes, has what takes longest come first, so that none waits at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(_folder(item.nodeid)))


def _folder(nodeid: str) -> str:
    return "/".join(nodeid.partition("::")[0].split("/")[1:-1][:2])


def _rank(folder: str) -> int:
    return _LONGEST_FIRST.index(folder) if folder in _LONGEST_FIRST else len(_LONGEST_FIRST)


@pytest.fixture(scope="session")
def toolchain() -> "Toolchain":
    """The real tools, prepared as `make tools` prepares them."""
    # Imported here: the unit tests, which need no tools, start faster without it.
    from lab.toolchain import LAB_TOOLS, NODE_TOOLS, prepare

    return prepare(Console(stderr=True), (*LAB_TOOLS, *NODE_TOOLS))
