"""Which servers a lab consists of, described from what it remembers."""

from collections.abc import Iterable
from dataclasses import dataclass

from lab.control_plane import (
    ControlPlane,
    api_server,
    api_server_name,
    control_plane,
    controller_manager,
    controller_manager_name,
)
from lab.directory import LabDirectory
from lab.etcd import CLIENT_PORT, PEER_PORT, etcd_access, etcd_server
from lab.memory import LabMemory
from lab.servers import Server
from lab.vault_server import NAME as VAULT
from lab.vault_server import vault_server
from lab.workload_clusters import MANAGEMENT_CLUSTER

TOOLS = ("etcd", "kube-apiserver", "kube-controller-manager", "vault")
"""The tools whose executables the servers are."""


@dataclass(frozen=True)
class Topology:
    """The servers in the order of their dependence, and the clusters, management first."""

    etcd: Server
    vault: Server
    api_servers: tuple[Server, ...]
    controller_managers: tuple[Server, ...]
    planes: tuple[ControlPlane, ...]

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
        return (self.etcd, *self.api_servers, *self.controller_managers, self.vault)


def port_names(workload_clusters: Iterable[str]) -> list[str]:
    """Return what needs a port of its own in a lab with these workload clusters."""
    names = [CLIENT_PORT, PEER_PORT, VAULT]
    for cluster in (MANAGEMENT_CLUSTER, *workload_clusters):
        names += [api_server_name(cluster), controller_manager_name(cluster)]
    return names


def topology(directory: LabDirectory, memory: LabMemory) -> Topology:
    """Describe the lab; certificates and configuration files that are missing are made.

    For the holder of the lab's lock only: `lab.servers.read_servers` tells everybody else.
    """
    ports = memory.ports
    etcd = etcd_access(directory, ports[CLIENT_PORT])
    planes = tuple(
        control_plane(directory, cluster, ports[api_server_name(cluster)])
        for cluster in (MANAGEMENT_CLUSTER, *memory.workload_clusters)
    )
    return Topology(
        etcd=etcd_server(directory, memory.executable("etcd"), etcd, ports[PEER_PORT]),
        vault=vault_server(directory, memory.executable("vault"), ports[VAULT]),
        api_servers=tuple(
            api_server(
                memory.executable("kube-apiserver"),
                plane,
                ports[api_server_name(plane.cluster)],
                etcd,
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
    )
