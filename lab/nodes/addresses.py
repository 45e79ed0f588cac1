"""The addresses of a lab's nodes: one block for each lab, apart from all networks of the host."""

import json
import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any

from lab.errors import LabError

RANGE = IPv4Network("198.18.0.0/15")
"""Set aside for benchmarks of network devices (RFC 2544): no network that a host is in uses it."""

_BLOCK_PREFIX = 20
_INTERFACE_PREFIX = "mesh-lab"

MAXIMUM_CLUSTERS = 14
"""A block's 16 parts of 256 addresses: nodes, load balancers, and the pods of each cluster."""

_LEAVES_SECONDS = 10.0
"""How long the kernel may take to remove the interface of a switch that was killed."""

_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class NodeNetwork:
    """One lab's block of addresses. `number` counts the blocks of `RANGE`, from 0."""

    number: int

    @property
    def interface(self) -> str:
        """Name of the host's interface in the network."""
        return f"{_INTERFACE_PREFIX}{self.number}"

    @property
    def block(self) -> IPv4Network:
        """All addresses of the lab."""
        return list(RANGE.subnets(new_prefix=_BLOCK_PREFIX))[self.number]

    @property
    def host(self) -> IPv4Interface:
        """The host's own address in the network, at which the API servers listen."""
        return self._nodes(1)

    def node(self, cluster: int) -> IPv4Interface:
        """Return the address of a cluster's node; clusters are counted from 0."""
        return self._nodes(2 + cluster)

    def pods(self, cluster: int) -> IPv4Network:
        """Return the addresses of a cluster's pods."""
        return self._parts()[2 + cluster]

    def load_balancers(self, cluster: int) -> IPv4Network:
        """Return the addresses that a cluster's Services of type LoadBalancer get."""
        return list(self._parts()[1].subnets(new_prefix=28))[cluster]

    def _parts(self) -> list[IPv4Network]:
        return list(self.block.subnets(new_prefix=24))

    def _nodes(self, index: int) -> IPv4Interface:
        network = self._parts()[0]
        return IPv4Interface(f"{network[index]}/{network.prefixlen}")


def choose_network(remembered: int | None, *, ours_runs: bool) -> NodeNetwork:
    """Return the lab's block: the remembered one while it is free or ours, or else a free one.

    Raises:
        LabError: no block is free, or the host's addresses cannot be read.
    """
    blocks = [NodeNetwork(number) for number in range(2 ** (_BLOCK_PREFIX - RANGE.prefixlen))]
    if remembered is not None:
        ours = blocks[remembered]
        if ours_runs:
            return ours
        # The servers would all have to move to another block.
        _await_leaving(ours)
    taken = list(_networks_of_the_host())
    if remembered is not None and _is_free(ours, taken):
        return ours
    # A random order keeps two labs that start together from choosing the same block.
    for candidate in random.sample(blocks, len(blocks)):
        if _is_free(candidate, taken):
            return candidate
    raise LabError(
        f"no free block of addresses in {RANGE}: other labs, or networks of this host, use all of "
        "them; stop a lab that is not needed (make down in its checkout)"
    )


def _await_leaving(network: NodeNetwork) -> None:
    """Return when the interface is gone, or will not go: it is then another lab's."""
    interface = Path("/sys/class/net", network.interface)
    deadline = time.monotonic() + _LEAVES_SECONDS
    while interface.exists() and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)


def _is_free(network: NodeNetwork, taken: list[IPv4Network]) -> bool:
    return not any(network.block.overlaps(other) for other in taken)


def _networks_of_the_host() -> Iterator[IPv4Network]:
    """Yield what the host's addresses and routes lead to, without the default route."""
    for entry in _ask("address"):
        for address in entry.get("addr_info", ()):
            if address.get("family") == "inet":
                yield IPv4Interface(f"{address['local']}/{address['prefixlen']}").network
    for entry in _ask("route", "show", "table", "all"):
        destination = entry["dst"]
        if destination != "default":
            try:
                yield IPv4Network(destination, strict=False)
            except ValueError:
                # Routes of IPv6 are listed as well.
                continue


def _ask(*arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["ip", "-4", "-json", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise LabError(f"ip {' '.join(arguments)} failed: {done.stderr.strip()}")
    answer: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return answer
