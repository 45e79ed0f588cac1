"""What connects the nodes and the host: `python -m lab.nodes.switch`.

A bridge in a network namespace of its own, with one pair of interfaces to the host. What the host's
firewall says of forwarded packets so never applies to the nodes. When this process ends, the kernel
takes the namespace away, and with it the host's interface, address and routes.
"""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from lab.nodes.holding import hold, run
from lab.nodes.telling import tell

BRIDGE = "nodes"


class _TerminatedError(Exception):
    """SIGTERM has come."""


@click.command()
@click.option("--interface", required=True, help="Name of the host's interface.")
@click.option("--address", required=True, help="The host's address with its prefix length.")
@click.option("--route", "routes", nargs=2, multiple=True, help="A network, and its node.")
def main(interface: str, address: str, routes: Sequence[tuple[str, str]]) -> None:
    """Connect the host with a switch of its own, until SIGTERM."""
    holder = hold(["unshare", "--net", "sleep", "infinity"], {"PATH": os.defpath})
    _await_namespace(holder.pid)
    run("ip", "link", "set", "lo", "up", inside=holder.pid)
    run("ip", "link", "add", BRIDGE, "type", "bridge", inside=holder.pid)
    run("ip", "link", "set", BRIDGE, "up", inside=holder.pid)
    run(
        *("ip", "link", "add", interface, "type", "veth"),
        *("peer", "name", "host", "netns", str(holder.pid)),
    )
    run("ip", "link", "set", "host", "master", BRIDGE, "up", inside=holder.pid)
    run("ip", "address", "add", address, "dev", interface)
    run("ip", "link", "set", interface, "up")
    for network, node in routes:
        run("ip", "route", "add", network, "via", node, "dev", interface)
    tell(f"{interface} has {address}")
    try:
        signal.signal(signal.SIGTERM, _end)
        holder.wait()
    except _TerminatedError:
        tell("ends, as was asked")
        # The kernel would do it, too, but in its own time.
        run("ip", "link", "delete", interface)
    else:
        tell(f"the switch's namespace is gone: its process ended with {holder.returncode}")
        raise SystemExit(1)


def _await_namespace(holder: int) -> None:
    """Return when the process has left this process's network."""
    ours = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{holder}/ns/net").readlink() == ours:
        # It is on its way there from its first moment: this takes a few milliseconds.
        time.sleep(0.005)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise _TerminatedError


if __name__ == "__main__":
    main(prog_name="python -m lab.nodes.switch")
