"""Which servers a lab consists of, described from what it remembers."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.api_server_audit import api_server_audit
from lab.control_plane import (
    ControlPlane,
    api_server,
    api_server_name,
    control_plane,
    controller_manager,
    controller_manager_name,
    scheduler,
    scheduler_name,
)
from lab.directory import LabDirectory
from lab.etcd import CLIENT_PORT, PEER_PORT, etcd_access, etcd_server
from lab.istiods.istiod import Executables
from lab.istiods.servers import istiod_http_name, istiod_name, istiod_server
from lab.memory import LabMemory
from lab.nodes.addresses import NodeNetwork
from lab.nodes.parts import node_parts
from lab.nodes.servers import caretaker, node, switch
from lab.ports import LOOPBACK
from lab.servers import Server
from lab.toolchain import ISTIOD_AGENT, PILOT_DISCOVERY
from lab.vault_server import NAME as VAULT
from lab.vault_server import vault_server
from lab.workload_clusters import MANAGEMENT_CLUSTER

TOOLS = ("etcd", "kube-apiserver", "kube-controller-manager", "vault")
"""The tools whose executables the servers are, without nodes."""


@dataclass(frozen=True)
class NodeServers:
    """What nodes add: the switch comes first of all, the caretaker looks after `mgmt`."""

    switch: Server
    schedulers: tuple[Server, ...]
    nodes: tuple[Server, ...]
    caretaker: Server

    def servers(self) -> tuple[Server, ...]:
        """Return all servers."""
        return (self.switch, *self.schedulers, self.caretaker, *self.nodes)


@dataclass(frozen=True)
class Topology:
    """The servers in the order of their dependence, and the clusters, management first.

    There is a Vault of the lab's own where there are no nodes to run one on.
    """

    etcd: Server
    vault: Server | None
    api_servers: tuple[Server, ...]
    controller_managers: tuple[Server, ...]
    planes: tuple[ControlPlane, ...]
    nodes: NodeServers | None = None
    istiods: tuple[Server, ...] = ()
    """Those that run without nodes."""

    @property
    def management(self) -> ControlPlane:
        """The management cluster."""
        return self.planes[0]

    @property
    def workload(self) -> tuple[ControlPlane, ...]:
        """The workload clusters."""
        return self.planes[1:]

    def servers(self) -> tuple[Server, ...]:
        """Return all servers."""
        vault = () if self.vault is None else (self.vault,)
        nodes = () if self.nodes is None else self.nodes.servers()
        planes = (*self.api_servers, *self.controller_managers)
        return (self.etcd, *planes, *vault, *nodes, *self.istiods)


def port_names(workload_clusters: Sequence[str], *, istiods: bool = False) -> list[str]:
    """Return what needs a port of its own in a lab with these workload clusters."""
    names = [CLIENT_PORT, PEER_PORT, VAULT]
    if istiods:
        names += map(istiod_name, workload_clusters)
        names += map(istiod_http_name, workload_clusters)
    for cluster in (MANAGEMENT_CLUSTER, *workload_clusters):
        names += [
            api_server_name(cluster),
            controller_manager_name(cluster),
            scheduler_name(cluster),
        ]
    return names


def topology(directory: LabDirectory, memory: LabMemory) -> Topology:
    """Describe the lab; certificates and configuration files that are missing are made.

    For the holder of the lab's lock only: `lab.servers.read_servers` tells everybody else.
    """
    ports = memory.ports
    etcd = etcd_access(directory, ports[CLIENT_PORT])
    network = None if memory.network is None else NodeNetwork(memory.network)
    address = LOOPBACK if network is None else str(network.host.ip)
    planes = tuple(
        control_plane(directory, cluster, ports[api_server_name(cluster)], address)
        for cluster in (MANAGEMENT_CLUSTER, *memory.workload_clusters)
    )
    vault = memory.executable("vault")
    return Topology(
        etcd=etcd_server(directory, memory.executable("etcd"), etcd, ports[PEER_PORT]),
        vault=vault_server(directory, vault, ports[VAULT]) if network is None else None,
        api_servers=tuple(
            api_server(
                memory.executable("kube-apiserver"),
                plane,
                ports[api_server_name(plane.cluster)],
                etcd,
                api_server_audit(directory, plane.cluster) if memory.audited else None,
            )
            for plane in planes
        ),
        controller_managers=tuple(
            controller_manager(
                directory,
                memory.executable("kube-controller-manager"),
                plane,
                ports[controller_manager_name(plane.cluster)],
            )
            for plane in planes
        ),
        planes=planes,
        nodes=None if network is None else _node_servers(directory, memory, network, planes),
        istiods=_istiod_servers(directory, memory, planes[1:]) if memory.istiods else (),
    )


def _istiod_servers(
    directory: LabDirectory, memory: LabMemory, planes: Sequence[ControlPlane]
) -> tuple[Server, ...]:
    executables = Executables(memory.executable(PILOT_DISCOVERY), memory.executable(ISTIOD_AGENT))
    return tuple(istiod_server(directory, executables, each, memory.ports) for each in planes)


def _node_servers(
    directory: LabDirectory,
    memory: LabMemory,
    network: NodeNetwork,
    planes: tuple[ControlPlane, ...],
) -> NodeServers:
    parts = node_parts(directory, memory)
    executable = memory.executable("kube-scheduler")
    return NodeServers(
        switch=switch(network, len(planes)),
        schedulers=tuple(
            scheduler(directory, executable, plane, memory.ports[scheduler_name(plane.cluster)])
            for plane in planes
        ),
        nodes=tuple(node(directory, network, planes, index, parts) for index in range(len(planes))),
        caretaker=caretaker(directory, network, planes[0], 0),
    )
