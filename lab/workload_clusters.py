"""What the published guide takes for granted in the clusters, before the program begins.

Istio is installed with its own chart. Without nodes its Deployment has no replicas, and where no
istiod is wanted at all there are but a service account and such a Deployment. What Gloo Mesh would
have registered or discovered is written down for it.
"""

import time
from collections.abc import Sequence

from lab.closed_schemas import UNKNOWN_FIELD, closed
from lab.control_plane import ControlPlane
from lab.definitions import definitions
from lab.errors import LabError
from lab.gloo import AGENT, MANAGEMENT_SERVER, gloo_deployment, workspace
from lab.kubernetes_objects import ClusterWriter, Object
from lab.nodes.images import SHELL_IMAGE

MANAGEMENT_CLUSTER = "mgmt"

CLUSTER_LABEL = "cluster"
"""Label of a KubernetesCluster that holds the cluster's own name. A RootTrustPolicy selects
clusters by such labels, and Gloo Mesh sets none by itself: whoever registers a cluster does."""

GLOO_NAMESPACE = "gloo-mesh"
ISTIO_NAMESPACE = "istio-system"

_REVISION = "default"
_WORKSPACE = "mesh"
_ENFORCED_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
# Valid as any string, and as base64.
_ANY_STRING = "AAAA"
_STANDS_FOR = "Stands for istiod where there are no nodes to run it."


def prepare_management_cluster(plane: ControlPlane, workload_clusters: Sequence[str]) -> None:
    """Give the management cluster Gloo's resources, the workload clusters and their meshes.

    Raises:
        LabError: the server refuses something, or does not enforce a definition in time.
    """
    with ClusterWriter(plane) as writer:
        writer.apply([namespace(GLOO_NAMESPACE)])
        _define(writer)
        for name in workload_clusters:
            writer.apply([registered_cluster(name), discovered_mesh(name)])
        server = gloo_deployment(MANAGEMENT_SERVER, GLOO_NAMESPACE)
        writer.apply([server, workspace(_WORKSPACE, GLOO_NAMESPACE)])


def prepare_workload_cluster(plane: ControlPlane, istio: Sequence[Object] = ()) -> None:
    """Give a workload cluster Gloo's resources, Istio's objects, and its mesh.

    Without `istio` there is what stands for istiod, and does not run.

    Raises:
        LabError: the server refuses something, or does not enforce a definition in time.
    """
    with ClusterWriter(plane) as writer:
        writer.apply([namespace(GLOO_NAMESPACE), namespace(ISTIO_NAMESPACE)])
        writer.apply(istio or [istiod_account(), istiod_deployment(replicas=0)])
        _define(writer)
        writer.apply([discovered_mesh(plane.cluster), gloo_deployment(AGENT, GLOO_NAMESPACE)])


def namespace(name: str) -> Object:
    """Describe a namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def istiod_account() -> Object:
    """Describe istiod's service account, under the name that Istio gives it without a revision."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "istiod", "namespace": ISTIO_NAMESPACE, "labels": _istiod_labels()},
    }


def istiod_deployment(*, replicas: int) -> Object:
    """Describe istiod's Deployment: labels, account and volumes as Istio's chart has them."""
    container = {
        "name": "discovery",
        "image": SHELL_IMAGE,
        "command": ["/bin/sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1 & wait; done"],
        "volumeMounts": [
            {"name": "local-certs", "mountPath": "/var/run/secrets/istio-dns"},
            {"name": "cacerts", "mountPath": "/etc/cacerts", "readOnly": True},
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "istiod",
            "namespace": ISTIO_NAMESPACE,
            "labels": _istiod_labels(),
            "annotations": {"mesh-trust.lab/purpose": _STANDS_FOR},
        },
        "spec": {
            "replicas": replicas,
            # That of Istio's chart: it cannot be changed, when nodes come.
            "selector": {"matchLabels": {"istio": "pilot"}},
            "template": {
                "metadata": {"labels": {**_istiod_labels(), "istio": "pilot"}},
                "spec": {
                    "serviceAccountName": "istiod",
                    "containers": [container],
                    "volumes": [
                        {"name": "local-certs", "emptyDir": {"medium": "Memory"}},
                        {"name": "cacerts", "secret": {"secretName": "cacerts", "optional": True}},
                    ],
                },
            },
        },
    }


def registered_cluster(name: str) -> Object:
    """Describe a workload cluster as the management server knows it."""
    return {
        "apiVersion": "admin.gloo.solo.io/v2",
        "kind": "KubernetesCluster",
        "metadata": {
            "name": name,
            "namespace": GLOO_NAMESPACE,
            "labels": {CLUSTER_LABEL: name},
        },
        "spec": {"clusterDomain": "cluster.local"},
    }


def discovered_mesh(cluster: str) -> Object:
    """Describe a workload cluster's mesh under the name that Gloo Mesh's discovery gives it."""
    return {
        "apiVersion": "internal.gloo.solo.io/v2",
        "kind": "Mesh",
        "metadata": {
            "name": f"istiod-{ISTIO_NAMESPACE}-{cluster}",
            "namespace": GLOO_NAMESPACE,
        },
        "spec": {
            "installation": {
                "cluster": cluster,
                "namespace": ISTIO_NAMESPACE,
                "podLabels": _istiod_labels(),
                "revision": _REVISION,
            },
            "trustDomain": "cluster.local",
            "istiodServiceAccount": "istiod",
            "rootNamespace": ISTIO_NAMESPACE,
        },
    }


def _istiod_labels() -> dict[str, str]:
    return {"app": "istiod", "istio.io/rev": _REVISION}


def _define(writer: ClusterWriter) -> None:
    """Install the definitions and return when the server enforces each of them."""
    everything = definitions()
    for definition in everything:
        writer.apply(closed(definition))
    deadline = time.monotonic() + _ENFORCED_SECONDS
    for definition in everything:
        while not _is_enforced(writer, definition):
            if time.monotonic() > deadline:
                raise LabError(
                    f"{definition['metadata']['name']} is not enforced after "
                    f"{_ENFORCED_SECONDS:g} s: see the API server's log"
                )
            time.sleep(_PAUSE_SECONDS)


def _is_enforced(writer: ClusterWriter, definition: Object) -> bool:
    # A server takes up a definition, and the policy that closes it, a moment after it took them.
    [version] = definition["spec"]["versions"]
    attempt = {
        "apiVersion": f"{definition['spec']['group']}/{version['name']}",
        "kind": definition["spec"]["names"]["kind"],
        "metadata": {"name": "not-kept", "namespace": GLOO_NAMESPACE},
        **_smallest(version["schema"]["openAPIV3Schema"]),
        "unknown": True,
    }
    refusal = writer.attempt(attempt, dry_run=True)
    return refusal is not None and UNKNOWN_FIELD in refusal.message


def _smallest(schema: Object) -> Object:
    """Return an object with the required fields only, each as small as can be."""
    fields = schema["properties"]
    return {
        name: _smallest(fields[name]) if fields[name]["type"] == "object" else _ANY_STRING
        for name in schema.get("required", [])
    }
