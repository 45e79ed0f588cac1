"""A trust that is set up in one Vault is not looked for in another one."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from lab.errors import LabError
from lab.lab import Lab
from lab.memory import LabMemory
from lab.stack import is_set_up
from lab.toolchain import Toolchain


def _stack(lab: Lab, *resources: str) -> None:
    """Writes what the engine leaves behind for the stack `dev`."""
    folder = lab.directory.pulumi_state / ".pulumi" / "stacks" / "mesh-trust"
    folder.mkdir(parents=True)
    checkpoint = {"latest": {"resources": list(resources)}}
    (folder / "dev.json").write_text(json.dumps({"version": 3, "checkpoint": checkpoint}))


def test_a_lab_whose_trust_is_set_up_on_nodes_is_not_started_without_them(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    lab = Lab(tmp_path / "lab", toolchain)
    lab.directory.create()
    LabMemory(("east",), {"etcd": 1}, network=3).write(lab.directory)
    _stack(lab, "a resource")

    with pytest.raises(LabError, match=r"a lab with nodes has: .*make up NODES=1.*make down"):
        lab.up(Console(file=io.StringIO()))
    assert LabMemory.read(lab.directory).network == 3


@pytest.mark.parametrize("resources", [(), ("a resource",)])
def test_a_stack_is_set_up_when_it_has_resources(
    toolchain: Toolchain, tmp_path: Path, resources: tuple[str, ...]
) -> None:
    lab = Lab(tmp_path / "lab", toolchain)
    lab.directory.create()
    assert not is_set_up(lab.directory)
    _stack(lab, *resources)
    assert is_set_up(lab.directory) is bool(resources)
