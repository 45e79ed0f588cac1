"""What a Deployment says of itself."""

from typing import Any

from ..about import About
from ..cluster_client import ClusterClient
from ..finding import Finding


def shown(deployment: Any) -> str:
    """A Deployment, as a sentence names it."""
    return f"Deployment {deployment.metadata.namespace}/{deployment.metadata.name}"


def called(client: ClusterClient, app: str) -> list[Any]:
    """Those with the label `app`, in whichever namespace.

    Raises:
        UnreachableError: they cannot be read.
    """
    with client.reading("Deployments"):
        listed = client.apps.list_deployment_for_all_namespaces(label_selector=f"app={app}")
    return list(listed.items)


def pods_finding(about: About, deployment: Any, context: str, *, needed: bool) -> Finding:
    """Whether all its pods are there; `needed` says whether without them nothing works."""
    wanted = deployment.spec.replicas
    available = deployment.status.available_replicas or 0
    what = shown(deployment)
    kubectl = f"kubectl --context {context}"
    place = f"-n {deployment.metadata.namespace} {deployment.metadata.name}"
    if wanted == 0:
        return about.warning(
            f"{what} is scaled to 0 pods",
            f"`{kubectl} scale deployment {place} --replicas 1`",
        )
    if available < wanted:
        seen = f"{what} has {available} of {wanted} pods available"
        fix = f"see why: `{kubectl} describe deployment {place}`"
        return about.failed(seen, fix) if needed else about.warning(seen, fix)
    return about.ok(f"{what} has its {wanted} pod{'' if wanted == 1 else 's'}")
