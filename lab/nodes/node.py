"""One node, seen from the host: `python -m lab.nodes.node`.

It makes the namespaces, connects them with the switch, and ends when the node or the switch does.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import click
import psutil

from lab import processes
from lab.directory import CHECKOUT, LabDirectory
from lab.nodes.cgroups import cgroup_of, make_cgroups, remove_cgroups
from lab.nodes.holding import hold, run
from lab.nodes.specification import Specification, node_name
from lab.nodes.telling import tell

SWITCH = "switch"

GRACE_SECONDS = 12.0
"""How long a node may take to end its pods; less than the lab gives to this process."""

_PAUSE_SECONDS = 0.2

_NAMESPACES = ("--net", "--mount", "--pid", "--uts", "--ipc")


class _TerminatedError(Exception):
    """SIGTERM has come."""


@click.command()
@click.option("--directory", required=True, type=click.Path(path_type=Path), help="The lab's.")
@click.option("--specification", required=True, type=click.Path(path_type=Path), help="The node's.")
@click.option("--digest", required=True, help="Of the specification: another one, another node.")
def main(directory: Path, specification: Path, digest: str) -> None:
    """Run a node until SIGTERM."""
    signal.signal(signal.SIGTERM, _end)
    node = Specification.read(specification)
    if node.digest() != digest:
        raise SystemExit(f"{specification} is not the one that was to be started")
    lab = LabDirectory(directory)
    switch = _switch(lab)
    cgroup = cgroup_of(lab, node.cluster)
    remove_cgroups(cgroup)
    make_cgroups(cgroup)
    holder = _start(specification)
    try:
        inside = _inside(holder)
        _connect(switch, inside, node.cluster)
        tell(f"{node_name(node.cluster)} is process {inside.pid} here")
        while holder.poll() is None and switch.is_running():
            time.sleep(_PAUSE_SECONDS)
        reason = _why_ended(holder)
    except _TerminatedError:
        reason = ""
        # A second one, from whoever cannot wait, changes nothing.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _ask_to_end(holder)
    finally:
        # The kernel ends all that runs in the namespaces with their first process.
        holder.kill()
        holder.wait()
        remove_cgroups(cgroup)
    if reason:
        tell(reason)
        raise SystemExit(1)
    tell("ended, as was asked")


def _start(specification: Path) -> subprocess.Popen[bytes]:
    return hold(
        [
            *("unshare", *_NAMESPACES, "--fork", "--kill-child=KILL", "--mount-proc"),
            *(sys.executable, "-P", "-m", "lab.nodes.inside", str(specification)),
        ],
        {"PATH": os.defpath, "PYTHONPATH": str(CHECKOUT), "HOME": "/run/node"},
    )


def _switch(lab: LabDirectory) -> psutil.Process:
    """Return the process that holds the switch's network.

    Raises:
        SystemExit: there is none.
    """
    for each in processes.running(lab):
        if each.name == SWITCH:
            for child in each.process.children():
                return child
    raise SystemExit("the switch does not run")


def _inside(holder: subprocess.Popen[bytes]) -> psutil.Process:
    """Return the first process of the namespaces, once it is there."""
    while holder.poll() is None:
        for child in psutil.Process(holder.pid).children():
            return child
        time.sleep(0.01)
    raise SystemExit(f"the node's namespaces cannot be made: unshare ended with {holder.poll()}")


def _connect(switch: psutil.Process, inside: psutil.Process, cluster: str) -> None:
    # Named by the process: an interface's name has 15 characters, a cluster's may have more.
    port = f"node{inside.pid}"
    run(
        *("ip", "link", "add", port, "netns", str(switch.pid), "type", "veth"),
        *("peer", "name", "eth0", "netns", str(inside.pid)),
    )
    run("ip", "link", "set", port, "alias", cluster, "master", "nodes", "up", inside=switch.pid)


def _why_ended(holder: subprocess.Popen[bytes]) -> str:
    code = holder.poll()
    return "the switch is gone" if code is None else f"the node ended with {code}"


def _ask_to_end(holder: subprocess.Popen[bytes]) -> None:
    for child in psutil.Process(holder.pid).children():
        child.terminate()
        psutil.wait_procs([child], timeout=GRACE_SECONDS)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise _TerminatedError


if __name__ == "__main__":
    main(prog_name="python -m lab.nodes.node")
