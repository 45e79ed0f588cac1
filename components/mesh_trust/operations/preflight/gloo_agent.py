"""Whether Gloo's agent is in a workload cluster, and its release where that is to be used."""

from collections.abc import Iterator
from typing import Any

from mesh_trust.agent_release_args import RELEASE_NAME
from mesh_trust.names import GLOO_NAMESPACE
from mesh_trust.settings import Cluster

from ..about import About
from ..cluster_client import ClusterClient
from ..finding import Finding
from .deployments import called, pods_finding

AGENT_DEPLOYMENT = "gloo-mesh-agent"
"""What Gloo's charts call it, old and new, and its label `app`."""


def gloo_agent_findings(subject: str, client: ClusterClient, cluster: Cluster) -> Iterator[Finding]:
    """Looks for the Deployment, and for the Helm release that grants permissions."""
    about = About("gloo-agent", subject)
    found = called(client, AGENT_DEPLOYMENT)
    if not found:
        yield about.failed(
            f"no namespace has Gloo's agent, a Deployment labelled app={AGENT_DEPLOYMENT}",
            "register the cluster with Gloo Mesh, which installs it: "
            f"`meshctl cluster register {cluster.name} --remote-context {client.context}`",
        )
    for deployment in found:
        yield pods_finding(about, deployment, client.context, needed=True)
    release = cluster.permissions.get("release")
    if release is not None:
        yield _release_finding(About("gloo-agent-release", subject), client, release)


def _release_finding(about: About, client: ClusterClient, release: Any) -> Finding:
    name = release.get("release_name", RELEASE_NAME)
    namespace = release.get("namespace", GLOO_NAMESPACE)
    with client.reading(f"Secrets in {namespace}, where Helm keeps its releases"):
        kept = client.core.list_namespaced_secret(
            namespace,
            label_selector=f"owner=helm,name={name}",
            field_selector="type=helm.sh/release.v1",
            limit=1,
        ).items
    if kept:
        return about.ok(f"Helm release {namespace}/{name} is there")
    return about.failed(
        f"there is no Helm release {namespace}/{name}, by which istiod's agent is to get its "
        "permissions",
        "name it in agentPermissions.releaseName and namespace, as "
        f"`helm --kube-context {client.context} list -A` shows it, or leave agentPermissions out",
    )
