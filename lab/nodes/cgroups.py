"""A node's control groups: they are no part of a namespace, so the lab makes and removes them.

With cgroup v1 there is a folder for each controller, with v2 there is one for all of them.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from lab.directory import LabDirectory

ROOT = Path("/sys/fs/cgroup")

_PREFIX = "mesh-trust-lab"
_EMPTYING_SECONDS = 5.0


def cgroup_of(lab: LabDirectory, cluster: str) -> PurePosixPath:
    """Return the path of a node's control group below each controller's root."""
    return _group_of(lab) / cluster


def make_cgroups(group: PurePosixPath, root: Path = ROOT) -> None:
    """Make the group for every controller."""
    for hierarchy in _hierarchies(root):
        folder = hierarchy
        for part in group.parts:
            folder = folder / part
            folder.mkdir(exist_ok=True)
            _hand_down(folder)


def remove_cgroups(group: PurePosixPath, root: Path = ROOT) -> None:
    """Remove the group and all below it; what a process is in after some seconds is left."""
    deadline = time.monotonic() + _EMPTYING_SECONDS
    while not _removed(group, root) and time.monotonic() < deadline:
        time.sleep(0.05)


def _removed(group: PurePosixPath, root: Path) -> bool:
    for hierarchy in _hierarchies(root):
        top = hierarchy / group
        below = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
        for folder in [*below, top]:
            # Busy while a process that was just killed is being taken away.
            with suppress(OSError):
                folder.rmdir()
    return not any((hierarchy / group).exists() for hierarchy in _hierarchies(root))


def remove_all_cgroups(lab: LabDirectory, root: Path = ROOT) -> None:
    """Remove the groups of all nodes of this lab, and their common one; for when no node runs."""
    clusters = {each.name for folder in left_cgroups(lab, root) for each in _folders_in(folder)}
    for cluster in clusters:
        remove_cgroups(cgroup_of(lab, cluster), root)
    for folder in left_cgroups(lab, root):
        # Not empty where something could not be ended.
        with suppress(OSError):
            folder.rmdir()


def left_cgroups(lab: LabDirectory, root: Path = ROOT) -> list[Path]:
    """Return the groups of this lab that are there."""
    folders = (hierarchy / _group_of(lab) for hierarchy in _hierarchies(root))
    return [folder for folder in folders if folder.exists()]


def _group_of(lab: LabDirectory) -> PurePosixPath:
    digest = hashlib.sha256(str(lab.root).encode()).hexdigest()[:12]
    return PurePosixPath(f"{_PREFIX}-{digest}")


def _folders_in(folder: Path) -> Iterator[Path]:
    return (each for each in folder.iterdir() if each.is_dir())


def _hierarchies(root: Path) -> Iterator[Path]:
    if (root / "cgroup.controllers").exists():
        yield root
        return
    for folder in root.iterdir():
        # Links such as cpu -> cpu,cpuacct lead to a folder that is listed itself.
        if folder.is_dir() and not folder.is_symlink():
            yield folder


def _hand_down(folder: Path) -> None:
    """Let groups below use the controllers that this one has: v2 asks for that at each level."""
    control = folder.parent / "cgroup.subtree_control"
    if control.exists() and (folder.parent / "cgroup.controllers").exists():
        controllers = (folder.parent / "cgroup.controllers").read_text().split()
        control.write_text(" ".join(f"+{name}" for name in controllers))
