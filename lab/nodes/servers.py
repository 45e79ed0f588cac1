"""The processes that nodes add to a lab."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from lab import kubeconfig
from lab.control_plane import SERVICES, ControlPlane
from lab.credentials import client_files, server_files
from lab.directory import LabDirectory, write_private
from lab.nodes import configuration
from lab.nodes.addresses import NodeNetwork
from lab.nodes.cgroups import cgroup_of
from lab.nodes.cluster_access import WATCH_SECONDS
from lab.nodes.node import SWITCH
from lab.nodes.specification import Image, Specification, node_name
from lab.nodes.system_objects import cluster_dns_address
from lab.servers import AddressProbe, HeartbeatProbe, NodeProbe, Probe, Server

NODE_PREFIX = "node-"
"""What the names of nodes begin with among the lab's processes."""

_KUBELET_PORT = 10250
_NODE_COMMANDS = ("containerd", "ctr", "ip", "kube-proxy", "kubelet", "nft")


@dataclass(frozen=True)
class NodeParts:
    """What nodes are made of."""

    commands: Mapping[str, Path]
    """Executables by name; `runc` and what the others call are among them."""
    network_plugins: Path
    """Folder of containerd's network plugins."""
    images: tuple[Image, ...]
    """To be on every node; the first is what holds a pod's namespaces."""
    images_of: Mapping[str, tuple[Image, ...]]
    """Further ones by cluster."""


def switch(network: NodeNetwork, clusters: int) -> Server:
    """Describe the process that connects the nodes of this many clusters and the host."""
    address = str(network.host.ip)
    arguments = [
        *(sys.executable, "-P", "-m", "lab.nodes.switch"),
        *("--interface", network.interface, "--address", str(network.host)),
    ]
    for network_of_one, node in _routes(network, clusters):
        arguments += ["--route", network_of_one, node]
    probe = AddressProbe(network.interface, address)
    return Server(SWITCH, address, tuple(arguments), ready=probe, health=probe)


def node(
    directory: LabDirectory,
    network: NodeNetwork,
    planes: Sequence[ControlPlane],
    index: int,
    parts: NodeParts,
) -> Server:
    """Describe a cluster's node, and write its configuration."""
    plane = planes[index]
    address = network.node(index)
    folder = directory.node(plane.cluster)
    _write_credentials(plane, folder, address)
    specification = Specification(
        cluster=plane.cluster,
        folder=str(folder),
        logs=str(directory.logs),
        address=str(address),
        pods=str(network.pods(index)),
        services=str(SERVICES),
        load_balancers=str(network.load_balancers(index)),
        routes=tuple(_routes(network, len(planes), without=index)),
        commands={name: str(parts.commands[name]) for name in _NODE_COMMANDS},
        search_path=_search_path(parts.commands),
        images=(*parts.images, *parts.images_of.get(plane.cluster, ())),
        files={
            "containerd.toml": configuration.containerd(
                parts.images[0].name, parts.network_plugins, parts.commands["runc"]
            ),
            "network.d/pods.conflist": configuration.pod_network(network.pods(index)),
            "kubelet.yaml": configuration.kubelet(
                str(address.ip),
                cluster_dns_address(SERVICES),
                f"/{cgroup_of(directory, plane.cluster)}",
            ),
            "kube-proxy.yaml": configuration.kube_proxy(
                node_name(plane.cluster), network.pods(index)
            ),
            "resolv.conf": configuration.resolver(),
        },
    )
    arguments = (
        *(sys.executable, "-P", "-m", "lab.nodes.node"),
        *("--directory", str(directory.root)),
        *("--specification", str(specification.write())),
        *("--digest", specification.digest()),
    )
    authority = plane.authority.certificate
    url = f"https://{address.ip}:{_KUBELET_PORT}"
    return Server(
        f"{NODE_PREFIX}{plane.cluster}",
        url,
        arguments,
        ready=Probe(f"{url}/healthz", authority, plane.admin),
        health=NodeProbe(
            f"{plane.url}/api/v1/nodes/{node_name(plane.cluster)}", authority, plane.admin
        ),
    )


def caretaker(
    directory: LabDirectory, network: NodeNetwork, plane: ControlPlane, index: int
) -> Server:
    """Describe the process that gives a cluster's Services addresses and its claims volumes."""
    heartbeat = directory.cluster(plane.cluster) / "caretaker.heartbeat"
    addresses = network.load_balancers(index)
    arguments = (
        *(sys.executable, "-P", "-m", "lab.nodes.caretaker"),
        *("--url", plane.url),
        *("--credentials", str(directory.cluster(plane.cluster))),
        *("--addresses", str(addresses)),
        *("--volumes", str(directory.volumes)),
        *("--heartbeat", str(heartbeat)),
    )
    probe = HeartbeatProbe(heartbeat, WATCH_SECONDS)
    return Server(f"caretaker-{plane.cluster}", str(addresses), arguments, probe, probe)


def _write_credentials(plane: ControlPlane, folder: Path, address: IPv4Interface) -> None:
    """Write the node's certificates, and the access of kubelet and kube-proxy."""
    authority = plane.authority
    server_files(folder, "kubelet", authority, [str(address.ip), node_name(plane.cluster)])
    write_private(folder / "ca.crt", authority.certificate.read_bytes())
    user = f"system:node:{node_name(plane.cluster)}"
    for name, identity in {
        "kubelet": client_files(folder, "kubelet-client", authority, user, ["system:nodes"]),
        "kube-proxy": client_files(folder, "kube-proxy", authority, "system:kube-proxy"),
    }.items():
        access = kubeconfig.render([plane.access(identity)])
        write_private(folder / f"{name}.kubeconfig", access)


def _routes(network: NodeNetwork, clusters: int, without: int = -1) -> list[tuple[str, str]]:
    """Return which node leads to which load balancers' addresses."""
    return [
        (str(network.load_balancers(index)), str(network.node(index).ip))
        for index in range(clusters)
        if index != without
    ]


def _search_path(commands: Mapping[str, Path]) -> str:
    folders = dict.fromkeys(str(path.parent) for path in commands.values())
    return os.pathsep.join([*folders, "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
