"""A cluster's control plane: an API server and a controller manager, without nodes."""

from dataclasses import dataclass
from pathlib import Path

from lab import kubeconfig
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

_SERVICE_RANGE = "10.96.0.0/16"
_SERVICE_ADDRESS = "10.96.0.1"
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


@dataclass(frozen=True)
class ControlPlane:
    """The credentials and the address of one cluster."""

    cluster: str
    url: str
    authority: IdentityFiles
    api_server: IdentityFiles
    admin: IdentityFiles
    controller_manager: IdentityFiles
    token_keys: SigningKeyFiles

    def context(self) -> Context:
        """Return the administrator's access, named after the cluster."""
        return Context(
            self.cluster, self.url, self.authority.certificate.read_bytes(), self.admin.read()
        )


def control_plane(directory: LabDirectory, cluster: str, port: int) -> ControlPlane:
    """Return a cluster's control plane, making its CA, certificates and keys where it has none."""
    folder = directory.cluster(cluster)
    authority = authority_files(folder, f"lab cluster {cluster}")
    hosts = [LOOPBACK, "localhost", _SERVICE_ADDRESS, *_NAMES_IN_CLUSTER]
    return ControlPlane(
        cluster=cluster,
        url=f"https://{LOOPBACK}:{port}",
        authority=authority,
        api_server=server_files(folder, "api-server", authority, hosts),
        admin=client_files(folder, "admin", authority, f"{cluster}-admin", ["system:masters"]),
        controller_manager=client_files(
            folder, "controller-manager", authority, "system:kube-controller-manager"
        ),
        token_keys=signing_key_files(folder, "service-account"),
    )


def api_server(executable: Path, plane: ControlPlane, port: int, etcd: EtcdAccess) -> Server:
    """Describe a cluster's API server process."""
    arguments = (
        str(executable),
        f"--etcd-servers={etcd.url}",
        f"--etcd-prefix=/{plane.cluster}",
        f"--etcd-cafile={etcd.authority}",
        f"--etcd-certfile={etcd.client.certificate}",
        f"--etcd-keyfile={etcd.client.private_key}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--tls-cert-file={plane.api_server.certificate}",
        f"--tls-private-key-file={plane.api_server.private_key}",
        f"--client-ca-file={plane.authority.certificate}",
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--service-cluster-ip-range={_SERVICE_RANGE}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-signing-key-file={plane.token_keys.private_key}",
        f"--service-account-key-file={plane.token_keys.public_key}",
        # The Service `kubernetes` gets no endpoint: a loopback address is not allowed as one.
        "--endpoint-reconciler-type=none",
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
    context = Context(
        plane.cluster,
        plane.url,
        plane.authority.certificate.read_bytes(),
        plane.controller_manager.read(),
    )
    write_private(access, kubeconfig.render([context]))
    address = f"https://{LOOPBACK}:{port}"
    arguments = (
        str(executable),
        f"--kubeconfig={access}",
        f"--authentication-kubeconfig={access}",
        f"--authorization-kubeconfig={access}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--tls-cert-file={plane.api_server.certificate}",
        f"--tls-private-key-file={plane.api_server.private_key}",
        f"--service-account-private-key-file={plane.token_keys.private_key}",
        f"--root-ca-file={plane.authority.certificate}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--profiling=false",
    )
    probe = Probe(f"{address}/healthz", plane.authority.certificate, plane.admin)
    return Server(
        controller_manager_name(plane.cluster), address, arguments, ready=probe, health=probe
    )
