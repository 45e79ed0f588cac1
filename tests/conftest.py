"""What every test of real processes starts from."""

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

if TYPE_CHECKING:
    from lab.toolchain import Toolchain


@pytest.fixture(scope="session")
def toolchain() -> "Toolchain":
    """The real tools, prepared as `make tools` prepares them."""
    # Imported here: the unit tests, which need no tools, start faster without it.
    from lab.toolchain import prepare

    return prepare(Console(stderr=True))
