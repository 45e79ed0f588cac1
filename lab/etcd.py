"""The one etcd that keeps the objects of every cluster, each under a prefix of its own."""

from dataclasses import dataclass
from pathlib import Path

from lab.credentials import IdentityFiles, authority_files, client_files, server_files
from lab.directory import LabDirectory
from lab.ports import LOOPBACK
from lab.servers import Probe, Server

NAME = "etcd"
CLIENT_PORT = NAME
PEER_PORT = "etcd-peer"


@dataclass(frozen=True)
class EtcdAccess:
    """How an API server reaches etcd: nobody without a certificate of its CA gets an answer."""

    url: str
    authority: Path
    client: IdentityFiles


def etcd_access(directory: LabDirectory, port: int) -> EtcdAccess:
    """Return the access to etcd on this port, making its certificates where there are none."""
    authority = authority_files(directory.etcd, "lab etcd")
    client = client_files(directory.etcd, "client", authority, "lab")
    return EtcdAccess(f"https://{LOOPBACK}:{port}", authority.certificate, client)


def etcd_server(
    directory: LabDirectory, executable: Path, access: EtcdAccess, peer_port: int
) -> Server:
    """Describe the etcd process."""
    authority = authority_files(directory.etcd, "lab etcd")
    identity = server_files(directory.etcd, "server", authority, [LOOPBACK, "localhost"])
    peer_url = f"https://{LOOPBACK}:{peer_port}"
    arguments = (
        str(executable),
        "--name=lab",
        f"--data-dir={directory.etcd / 'data'}",
        f"--listen-client-urls={access.url}",
        f"--advertise-client-urls={access.url}",
        f"--trusted-ca-file={authority.certificate}",
        f"--cert-file={identity.certificate}",
        f"--key-file={identity.private_key}",
        "--client-cert-auth=true",
        # A single member talks to no peer, but listens for one all the same.
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=lab={peer_url}",
        f"--peer-trusted-ca-file={authority.certificate}",
        f"--peer-cert-file={identity.certificate}",
        f"--peer-key-file={identity.private_key}",
        "--peer-client-cert-auth=true",
    )
    probe = Probe(f"{access.url}/health", authority.certificate, access.client)
    return Server(NAME, access.url, arguments, ready=probe, health=probe)
