"""What a node sees of the host's files, and what it has of its own.

All of it is mounted in the node's own namespace: the host sees none of it.
"""

from pathlib import Path

from lab.nodes.holding import run
from lab.nodes.specification import HOME, RUNTIME

COVERED = (Path("/run"), Path("/var/log"), Path("/var/lib/cni"))
"""Folders in which a node's programs write at fixed places: an empty one each, in memory."""

_SYSTEM_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What kubelet sets at its start. They are the whole machine's, so kubelet is shown files instead
that have these values already
(https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/, protectKernelDefaults).
"""


def prepare_mounts(folder: Path) -> None:
    """Mount what the node has of its own; `folder`, below none of `COVERED`, becomes `HOME`.

    Raises:
        RuntimeError: the kernel refuses one of the mounts.
    """
    for covered in COVERED:
        # The one trace that a node leaves on a host: an empty folder, where containerd's library
        # for networks has to have one.
        covered.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(covered))
    HOME.mkdir()
    run("mount", "--bind", str(folder), str(HOME))
    RUNTIME.mkdir()
    settings = HOME / "system-settings"
    for name, value in _SYSTEM_SETTINGS.items():
        stand_in = settings / name
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        stand_in.write_text(f"{value}\n")
        run("mount", "--bind", str(stand_in), f"/proc/sys/{name}")
    # kubelet's mounts are to be seen by the containers that ask for them.
    run("mount", "--make-rshared", "/")
