"""Whether the kernel has enough of what programs watch files with, for one user's processes."""

import ctypes
import os
from pathlib import Path

from lab.toolchain import ToolchainError

PER_CLUSTER = 16
"""What a cluster with a node takes, and a little more: kubelet 6, API server 3, controller manager
2, containerd, kube-proxy and scheduler one each (seen with Kubernetes 1.34)."""

_SETTING = "fs.inotify.max_user_instances"
_ENOUGH_FOR_MOST = 1024


def require_watches(clusters: int) -> None:
    """Return where there is room for this many clusters with nodes.

    Programs that find none crash at their start, again and again.

    Raises:
        ToolchainError: there is not.
    """
    needed = PER_CLUSTER * clusters
    free = _free(needed)
    if free < needed:
        limit = Path("/proc/sys", _SETTING.replace(".", "/")).read_text().strip()
        raise ToolchainError(
            f"nodes need {needed} inotify instances, and {free} of this user's {limit} are left; "
            f"raise the limit with: sysctl -w {_SETTING}={_ENOUGH_FOR_MOST}"
        )


def _free(wanted: int) -> int:
    """Take as many as are wanted, as far as there are any, and give them back; return how many."""
    library = ctypes.CDLL(None, use_errno=True)
    taken: list[int] = []
    while len(taken) < wanted and (descriptor := library.inotify_init1(os.O_CLOEXEC)) >= 0:
        taken.append(descriptor)
    for descriptor in taken:
        os.close(descriptor)
    return len(taken)
