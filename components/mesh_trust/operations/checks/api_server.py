"""Whether a cluster answers, and how long the CA has left by which Vault knows it."""

from collections.abc import Iterator

from cryptography import x509

from mesh_trust.root_checks import named

from ..certificates import Thresholds, first_to_end
from ..cluster_client import ClusterClient
from ..expected import ExpectedTrust
from ..finding import Finding, State


def api_server(client: ClusterClient, subject: str) -> Iterator[Finding]:
    """Whether the API server answers."""
    with client.reading("its version"):
        version = client.version.get_code().git_version
    seen = f"{client.host} answers, Kubernetes {version}"
    yield Finding("api-server", subject, State.OK, seen)


def api_server_ca(trust: ExpectedTrust, thresholds: Thresholds) -> Iterator[Finding]:
    """How long the CA has left against which Vault checks the API server."""
    check, server = "api-server-ca", trust.cluster.api_server
    if server is None:
        seen = (
            "Vault asks no API server: it has the keys of the cluster's tokens (reviewerMode jwt)"
        )
        yield Finding(check, trust.subject, State.OK, seen)
        return
    certificates = x509.load_pem_x509_certificates(server.ca_certificate.encode())
    ends = first_to_end(certificates)
    fix = "rotate it as Kubernetes documents it, and let Vault know the new one: `pulumi up`"
    what = f"the API server's CA {named(ends)}"
    yield thresholds.judge(check, trust.subject, what, ends, fix)
