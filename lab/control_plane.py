"""A cluster's control plane: an API server, a controller manager, and with a node a scheduler."""

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from lab import kubeconfig
from lab.api_server_audit import ApiServerAudit
from lab.credentials import (
    IdentityFiles,
    SigningKeyFiles,
    authority_files,
    client_files,
    server_files,
    signing_key_files,
)
from lab.directory import LabDirectory, write_private
from lab.etcd import EtcdAccess
from lab.kubeconfig import Context
from lab.ports import LOOPBACK
from lab.servers import Probe, Server

ISSUER = "https://kubernetes.default.svc.cluster.local"
"""Issuer and audience of service account tokens, as in a cluster that kubeadm sets up."""

SERVICES = IPv4Network("10.96.0.0/16")
"""Addresses of Services; the first is that of the Service `kubernetes`."""

_NAMES_IN_CLUSTER = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


def api_server_name(cluster: str) -> str:
    """Return the name of a cluster's API server, which its port and its process go by."""
    return f"kube-apiserver-{cluster}"


def controller_manager_name(cluster: str) -> str:
    """Return the name of a cluster's controller manager."""
    return f"kube-controller-manager-{cluster}"


def scheduler_name(cluster: str) -> str:
    """Return the name of a cluster's scheduler."""
    return f"kube-scheduler-{cluster}"


@dataclass(frozen=True)
class ControlPlane:
    """The credentials and the address of one cluster."""

    cluster: str
    address: str
    """At which the API server listens: the loopback address where the cluster has no node."""
    url: str
    authority: IdentityFiles
    api_server: IdentityFiles
    admin: IdentityFiles
    controller_manager: IdentityFiles
    scheduler: IdentityFiles
    token_keys: SigningKeyFiles

    @property
    def has_node(self) -> bool:
        """Whether pods can run in the cluster."""
        return self.address != LOOPBACK

    def context(self) -> Context:
        """Return the administrator's access, named after the cluster."""
        return self.access(self.admin)

    def access(self, identity: IdentityFiles) -> Context:
        """Return the access of a holder of a client's certificate."""
        authority = self.authority.certificate.read_bytes()
        return Context(self.cluster, self.url, authority, identity.read())


def control_plane(
    directory: LabDirectory, cluster: str, port: int, address: str = LOOPBACK
) -> ControlPlane:
    """Return a cluster's control plane, making its CA, certificates and keys where it has none."""
    folder = directory.cluster(cluster)
    authority = authority_files(folder, f"lab cluster {cluster}")
    hosts = [LOOPBACK, "localhost", str(SERVICES[1]), *_NAMES_IN_CLUSTER]
    if address != LOOPBACK:
        hosts.append(address)
    return ControlPlane(
        cluster=cluster,
        address=address,
        url=f"https://{address}:{port}",
        authority=authority,
        api_server=server_files(folder, "api-server", authority, hosts),
        admin=client_files(folder, "admin", authority, f"{cluster}-admin", ["system:masters"]),
        controller_manager=client_files(
            folder, "controller-manager", authority, "system:kube-controller-manager"
        ),
        scheduler=client_files(folder, "scheduler", authority, "system:kube-scheduler"),
        token_keys=signing_key_files(folder, "service-account"),
    )


def api_server(
    executable: Path,
    plane: ControlPlane,
    port: int,
    etcd: EtcdAccess,
    audit: ApiServerAudit | None = None,
) -> Server:
    """Describe a cluster's API server process, which writes an audit log only where told to."""
    arguments = (
        str(executable),
        f"--etcd-servers={etcd.url}",
        f"--etcd-prefix=/{plane.cluster}",
        f"--etcd-cafile={etcd.authority}",
        f"--etcd-certfile={etcd.client.certificate}",
        f"--etcd-keyfile={etcd.client.private_key}",
        f"--bind-address={plane.address}",
        f"--advertise-address={plane.address}",
        f"--secure-port={port}",
        f"--tls-cert-file={plane.api_server.certificate}",
        f"--tls-private-key-file={plane.api_server.private_key}",
        f"--client-ca-file={plane.authority.certificate}",
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--service-cluster-ip-range={SERVICES}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-signing-key-file={plane.token_keys.private_key}",
        f"--service-account-key-file={plane.token_keys.public_key}",
        *(() if audit is None else audit.arguments()),
        *(_for_a_node(plane) if plane.has_node else _WITHOUT_A_NODE),
        "--profiling=false",
    )
    probe = Probe(f"{plane.url}/readyz", plane.authority.certificate, plane.admin)
    return Server(api_server_name(plane.cluster), plane.url, arguments, ready=probe, health=probe)


def controller_manager(
    directory: LabDirectory, executable: Path, plane: ControlPlane, port: int
) -> Server:
    """Describe a cluster's controller manager process.

    It fills service account tokens, publishes the CA, and ends deletions of namespaces and of
    objects that wait for what they own.
    """
    access = directory.cluster(plane.cluster) / "controller-manager.kubeconfig"
    write_private(access, kubeconfig.render([plane.access(plane.controller_manager)]))
    arguments = (
        f"--service-account-private-key-file={plane.token_keys.private_key}",
        f"--root-ca-file={plane.authority.certificate}",
        "--use-service-account-credentials=true",
    )
    name = controller_manager_name(plane.cluster)
    return _component(name, executable, access, plane, port, arguments)


def scheduler(directory: LabDirectory, executable: Path, plane: ControlPlane, port: int) -> Server:
    """Describe a cluster's scheduler process."""
    access = directory.cluster(plane.cluster) / "scheduler.kubeconfig"
    write_private(access, kubeconfig.render([plane.access(plane.scheduler)]))
    return _component(scheduler_name(plane.cluster), executable, access, plane, port, ())


def _component(
    name: str,
    executable: Path,
    access: Path,
    plane: ControlPlane,
    port: int,
    arguments: tuple[str, ...],
) -> Server:
    """Describe a process that works for the API server, and is there once."""
    address = f"https://{LOOPBACK}:{port}"
    common = (
        str(executable),
        f"--kubeconfig={access}",
        f"--authentication-kubeconfig={access}",
        f"--authorization-kubeconfig={access}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--tls-cert-file={plane.api_server.certificate}",
        f"--tls-private-key-file={plane.api_server.private_key}",
        "--leader-elect=false",
        "--profiling=false",
    )
    probe = Probe(f"{address}/healthz", plane.authority.certificate, plane.admin)
    return Server(name, address, (*common, *arguments), ready=probe, health=probe)


# The Service `kubernetes` gets no endpoint: a loopback address is not allowed as one.
_WITHOUT_A_NODE = ("--endpoint-reconciler-type=none",)


def _for_a_node(plane: ControlPlane) -> tuple[str, ...]:
    return (
        "--allow-privileged=true",
        f"--kubelet-certificate-authority={plane.authority.certificate}",
        f"--kubelet-client-certificate={plane.admin.certificate}",
        f"--kubelet-client-key={plane.admin.private_key}",
        "--kubelet-preferred-address-types=InternalIP",
    )
