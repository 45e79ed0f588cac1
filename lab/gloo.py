"""What stands for Gloo Mesh in the clusters: its Deployments, which run nothing; a workspace."""

from lab.kubernetes_objects import Object

AGENT = "gloo-mesh-agent"
MANAGEMENT_SERVER = "gloo-mesh-mgmt-server"
"""Deployments, by the names that Gloo's charts give them."""

_STANDS_FOR = "Stands for what Gloo's chart installs, and runs nothing."
_NEVER_PULLED = "mesh-trust.lab/none:0"


def gloo_deployment(name: str, namespace: str) -> Object:
    """Describe one of the Deployments, without pods."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": {"mesh-trust.lab/purpose": _STANDS_FOR},
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": name, "image": _NEVER_PULLED}]},
            },
        },
    }


def workspace(name: str, namespace: str) -> Object:
    """Describe a workspace of everything in every cluster, as Gloo's getting started makes one."""
    return {
        "apiVersion": "admin.gloo.solo.io/v2",
        "kind": "Workspace",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"workloadClusters": [{"name": "*", "namespaces": [{"name": "*"}]}]},
    }
