"""A lab with real nodes, and the program that installs its own Vault in it."""

import io
import os
from collections.abc import Iterator

import pytest
from rich.console import Console

from lab.lab import Lab
from lab.nodes.possible import require_privileges
from lab.toolchain import NodeSoftware, Toolchain, ToolchainError, node_software

CLUSTERS = ("east", "west")


@pytest.fixture(scope="session")
def software() -> NodeSoftware:
    """What nodes need; a machine that cannot have them says so with NODES=0, and is believed."""
    if os.environ.get("NODES") == "0":
        pytest.skip("NODES=0: this machine is not to have nodes")
    try:
        found = node_software(Console(file=io.StringIO()), os.environ)
        require_privileges()
    except ToolchainError as error:
        pytest.fail(f"no nodes: {error} (NODES=0 leaves these tests out)")
    return found


# Ended with this folder's tests: nodes take much of what the kernel has for watching files.
@pytest.fixture(scope="package")
def lab(
    toolchain: Toolchain, software: NodeSoftware, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """A started lab; a test that breaks it mends it with `up` before it ends."""
    lab = Lab(tmp_path_factory.mktemp("nodes") / "lab", toolchain, software)
    try:
        lab.up(Console(file=io.StringIO()), CLUSTERS)
        yield lab
    finally:
        lab.clean()
