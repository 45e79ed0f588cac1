"""Whether the management cluster has Gloo's server, and knows the workload clusters."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mesh_trust.names import GLOO_NAMESPACE
from mesh_trust.settings import Cluster, Settings

from ..about import About
from ..cluster_client import ClusterClient
from ..finding import Finding
from .deployments import called, pods_finding

SERVER_DEPLOYMENT = "gloo-mesh-mgmt-server"
"""What Gloo's charts call the management server, and its label `app`."""

_GROUP, _VERSION = "admin.gloo.solo.io", "v2"


def management_findings(
    subject: str, client: ClusterClient, settings: Settings
) -> Iterator[Finding]:
    """Looks for the server, for what it has registered, and for workspaces."""
    yield from _server_findings(About("gloo-management-server", subject), client)
    registered = _objects(client, "kubernetesclusters")
    if registered is None:
        yield _undefined(About("gloo-clusters", subject), "kubernetesclusters")
    else:
        for cluster in settings.clusters:
            yield _registration(About("gloo-clusters", subject), client, cluster, registered)
    workspaces = _objects(client, "workspaces")
    about = About("gloo-workspaces", subject)
    if workspaces is None:
        yield _undefined(about, "workspaces")
    else:
        yield _workspace_finding(about, client, settings, workspaces, registered or [])


def _server_findings(about: About, client: ClusterClient) -> Iterator[Finding]:
    found = called(client, SERVER_DEPLOYMENT)
    if not found:
        yield about.failed(
            "no namespace has Gloo's management server, a Deployment labelled "
            f"app={SERVER_DEPLOYMENT}",
            "install Gloo Mesh there first, or name the context of its management cluster in "
            "management.context",
        )
    for deployment in found:
        yield pods_finding(about, deployment, client.context, needed=True)


def _objects(client: ClusterClient, plural: str) -> list[Mapping[str, Any]] | None:
    """All of a kind; None where the API server does not know it."""
    what, ask = f"{plural}.{_GROUP}", client.custom.list_cluster_custom_object
    listed = client.found(what, ask, _GROUP, _VERSION, plural)
    return None if listed is None else list(listed["items"])


def _undefined(about: About, plural: str) -> Finding:
    return about.failed(
        f"the API server does not know {plural} of {_GROUP}/{_VERSION}",
        "install Gloo Mesh there first, with its resource definitions (chart gloo-platform-crds)",
    )


def _registration(
    about: About, client: ClusterClient, cluster: Cluster, registered: Sequence[Mapping[str, Any]]
) -> Finding:
    labels = ",".join(f"{key}={value}" for key, value in cluster.labels.items())
    found = [each["metadata"] for each in registered if _has(each["metadata"], cluster.labels)]
    names = ", ".join(each["name"] for each in found)
    kubectl = f"kubectl --context {client.context}"
    if len(found) == 1 and found[0]["name"] == cluster.name:
        return about.ok(f"KubernetesCluster {cluster.name} is labelled {labels}")
    named = [each["metadata"] for each in registered if each["metadata"]["name"] == cluster.name]
    if not found:
        namespace = named[0]["namespace"] if named else GLOO_NAMESPACE
        seen = f"no KubernetesCluster is labelled {labels}, by which the policy of {cluster.name} "
        if named:
            fix = f"`{kubectl} label kubernetescluster -n {namespace} {cluster.name} "
            return about.failed(
                f"{seen}would select it",
                f"{fix}{labels.replace(',', ' ')}`, or name labels that it has in "
                f"{cluster.place}.clusterLabels",
            )
        return about.failed(
            f"{seen}would select it, and none is called {cluster.name}",
            "register the cluster with Gloo Mesh, or name labels of its KubernetesCluster in "
            f"{cluster.place}.clusterLabels: `{kubectl} get kubernetescluster -A --show-labels`",
        )
    if len(found) > 1:
        return about.failed(
            f"{labels} is the label of several KubernetesClusters, {names}: the policy of "
            f"{cluster.name} would select all of them",
            f"give {cluster.place}.clusterLabels labels that only its own has",
        )
    if named:
        return about.failed(
            f"{labels} is the label of KubernetesCluster {names}, which the policy of "
            f"{cluster.name} would select in place of its own",
            f"correct the labels, or {cluster.place}.clusterLabels: "
            f"`{kubectl} get kubernetescluster -A --show-labels`",
        )
    return about.ok(f"KubernetesCluster {names}, labelled {labels}, is {cluster.name}")


def _workspace_finding(
    about: About,
    client: ClusterClient,
    settings: Settings,
    workspaces: Sequence[Mapping[str, Any]],
    registered: Sequence[Mapping[str, Any]],
) -> Finding:
    if not workspaces:
        return about.failed(
            "there is no Workspace, without which Gloo puts no policy into effect",
            "make one with the clusters, as Gloo's getting started does: "
            f"`kubectl --context {client.context} get workspace -A`",
        )
    labels = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in registered}
    outside = [
        cluster.name
        for cluster in settings.clusters
        if not any(
            _covers(part, cluster.name, labels.get(cluster.name, {}))
            for each in workspaces
            for part in (each.get("spec") or {}).get("workloadClusters") or ()
        )
    ]
    names = ", ".join(each["metadata"]["name"] for each in workspaces)
    if outside:
        return about.failed(
            f"no Workspace ({names}) has {', '.join(outside)} among its workloadClusters",
            f"add it: `kubectl --context {client.context} edit workspace -A`",
        )
    return about.ok(f"Workspace {names} has the clusters")


def _covers(part: Mapping[str, Any], name: str, labels: Mapping[str, str]) -> bool:
    """Whether an entry of `workloadClusters` means a cluster: by its name, `*` or labels."""
    selector = part.get("selector")
    if isinstance(selector, Mapping):
        return selector.items() <= labels.items()
    return part.get("name") in ("*", name)


def _has(metadata: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return labels.items() <= (metadata.get("labels") or {}).items()
