"""Sub-commands are loaded when they are asked for, and then all of them."""

import subprocess
import sys

import pytest

_PROGRAM = """
import {first}
from click.testing import CliRunner
from mesh_trust.operations.command import main
print(CliRunner().invoke(main, ["vault", "--help"]).output)
"""


# The second has a module of the group loaded, which makes it.
@pytest.mark.parametrize("first", ["sys", "mesh_trust.operations.verify"])
def test_a_group_is_whole_whatever_is_loaded_first(first: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(first=first)],
        capture_output=True,
        text=True,
        check=True,
    )
    for each in ("init", "restore", "snapshot", "status", "unseal"):
        assert f"\n  {each} " in done.stdout
