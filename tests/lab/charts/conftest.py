"""The lab's charts, rendered with the real Helm."""

from typing import TYPE_CHECKING

import pytest

from .rendering import CHARTS, Chart

if TYPE_CHECKING:
    from lab.toolchain import Toolchain


@pytest.fixture(scope="session")
def chart(toolchain: "Toolchain") -> Chart:
    """The lab's own chart of Vault."""
    return Chart(toolchain["helm"].path, CHARTS / "vault")
