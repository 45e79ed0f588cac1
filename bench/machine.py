"""What the measurements ran on, in words."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import psutil

from lab.toolchain import PreparedTool, Source

_GIBIBYTE = 2**30
_TOLD = ("pulumi", "vault", "kubectl", "kube-apiserver", "etcd")


def described(tools: Mapping[str, PreparedTool]) -> dict[str, str]:
    """Describe processor, memory, system, and the tools with where they came from."""
    own = [name for name, tool in tools.items() if tool.source is Source.LAB]
    return {
        "processor": f"{os.cpu_count()} of {_processor()}",
        "memory": f"{psutil.virtual_memory().total / _GIBIBYTE:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "tools": ", ".join(f"{each} {tools[each].version}" for each in _TOLD),
        "the lab's own in place of official plugins": ", ".join(sorted(own)) or "none",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
