"""Control groups of nodes, in folders that stand for the kernel's."""

from pathlib import Path

import pytest

from lab.directory import LabDirectory
from lab.nodes.cgroups import (
    cgroup_of,
    left_cgroups,
    make_cgroups,
    remove_all_cgroups,
    remove_cgroups,
)

LAB = LabDirectory(Path("/a/lab"))


@pytest.fixture(params=[("cpu", "memory"), ()], ids=["version 1", "version 2"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    for controller in request.param:
        (tmp_path / controller).mkdir()
    if not request.param:
        (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    return tmp_path


def test_a_node_takes_away_its_own_group_while_another_is_being_made(root: Path) -> None:
    east, west = cgroup_of(LAB, "east"), cgroup_of(LAB, "west")
    make_cgroups(east, root)
    make_cgroups(east / "pods", root)
    make_cgroups(west, root)

    remove_cgroups(east, root)

    assert {path.name for folder in left_cgroups(LAB, root) for path in folder.iterdir()} == {
        "west"
    }
    remove_cgroups(west, root)
    # Common to all nodes: one that starts may be about to make its own in it.
    assert left_cgroups(LAB, root) != []
    remove_all_cgroups(LAB, root)
    assert left_cgroups(LAB, root) == []


def test_another_labs_groups_are_left(root: Path) -> None:
    other = LabDirectory(Path("/another/lab"))
    make_cgroups(cgroup_of(other, "east"), root)
    make_cgroups(cgroup_of(LAB, "east"), root)

    remove_all_cgroups(LAB, root)

    assert left_cgroups(LAB, root) == []
    assert len(left_cgroups(other, root)) > 0


def test_what_is_still_in_use_is_left(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.nodes.cgroups._EMPTYING_SECONDS", 0.1)
    make_cgroups(cgroup_of(LAB, "east"), root)
    [folder, *_] = left_cgroups(LAB, root)
    busy = folder / "east" / "busy"
    busy.write_text("as a process keeps the kernel from removing a group")

    remove_all_cgroups(LAB, root)

    assert busy.exists()
