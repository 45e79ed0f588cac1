"""Applications of a mesh on real nodes, as far as a rotation looks at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import client
from kubernetes.stream import stream

from lab.lab import Lab
from lab.nodes.images import SHELL_IMAGE

from .pods import api_client, until

NAMESPACE = "shop"
_WELL = "/well"
_RUN = f"touch {_WELL}; trap 'exit 0' TERM; while true; do sleep 1 & wait; done"


def application(
    name: str, replicas: int, strategy: dict[str, Any], *, sidecar: bool = True
) -> dict[str, Any]:
    """A Deployment whose pods are well for as long as a file is there in them."""
    app = {
        "name": "app",
        "image": SHELL_IMAGE,
        "command": ["/bin/sh", "-c", _RUN],
        "readinessProbe": {
            "exec": {"command": ["test", "-f", _WELL]},
            "periodSeconds": 1,
            "failureThreshold": 1,
        },
    }
    proxy = {
        "name": "istio-proxy",
        "image": SHELL_IMAGE,
        "command": ["/bin/sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1 & wait; done"],
        "env": [{"name": "PROXY_CONFIG_XDS_AGENT", "value": "true"}],
    }
    labels = {"app": name, "team": "shop" if sidecar else "tools"}
    return {
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": replicas,
            "strategy": strategy,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [app, proxy] if sidecar else [app],
                },
            },
        },
    }


def rolling(surge: int, unavailable: int) -> dict[str, Any]:
    """A strategy by which pods are replaced."""
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    }


def budget(name: str, available: int) -> dict[str, Any]:
    """A PodDisruptionBudget of the application `name`."""
    return {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"minAvailable": available, "selector": {"matchLabels": {"app": name}}},
    }


@contextmanager
def shop(lab: Lab, cluster: str, *applications: dict[str, Any]) -> Iterator[None]:
    """Has these Deployments run in a namespace of their own."""
    with api_client(lab, cluster) as api:
        core: Any = client.CoreV1Api(api)
        apps: Any = client.AppsV1Api(api)
        core.create_namespace({"metadata": {"name": NAMESPACE}})
        try:
            for each in applications:
                apps.create_namespaced_deployment(NAMESPACE, each)

            def run() -> bool:
                found = apps.list_namespaced_deployment(NAMESPACE).items
                return all(each.status.available_replicas == each.spec.replicas for each in found)

            until(run, "the shop")
            yield
        finally:
            core.delete_namespace(NAMESPACE)
            until(
                lambda: all(
                    each.metadata.name != NAMESPACE for each in core.list_namespace().items
                ),
                "the end of the shop",
            )


def in_pod(lab: Lab, cluster: str, pod: str, script: str) -> None:
    """Runs a script in the container app of a pod."""
    with api_client(lab, cluster) as api:
        running: Any = stream(
            client.CoreV1Api(api).connect_get_namespaced_pod_exec,
            pod,
            NAMESPACE,
            container="app",
            command=["/bin/sh", "-ec", script],
            stdout=True,
            stderr=True,
            _preload_content=False,
        )
        running.run_forever(timeout=10)
        running.sock.shutdown()


def make_unwell(lab: Lab, cluster: str, pod: str) -> None:
    """Has a pod say that it is not ready."""
    in_pod(lab, cluster, pod, f"rm {_WELL}")


def make_well(lab: Lab, cluster: str, pod: str) -> None:
    """Has it ready again."""
    in_pod(lab, cluster, pod, f"touch {_WELL}")


def put_budget(lab: Lab, cluster: str, name: str, available: int) -> None:
    """Gives the application `name` a PodDisruptionBudget."""
    with api_client(lab, cluster) as api:
        policy: Any = client.PolicyV1Api(api)
        policy.create_namespaced_pod_disruption_budget(NAMESPACE, budget(name, available))


def rolled(lab: Lab, cluster: str, namespace: str, name: str) -> int:
    """How often the pods of a Deployment were made of another template."""
    with api_client(lab, cluster) as api:
        apps: Any = client.AppsV1Api(api)
        found = apps.read_namespaced_deployment(name, namespace)
    return int(found.metadata.annotations["deployment.kubernetes.io/revision"])


def pods(lab: Lab, cluster: str, name: str) -> list[str]:
    """Names of an application's pods."""
    with api_client(lab, cluster) as api:
        core: Any = client.CoreV1Api(api)
        found = core.list_namespaced_pod(NAMESPACE, label_selector=f"app={name}")
    return [each.metadata.name for each in found.items]


def versions(lab: Lab, cluster: str) -> set[tuple[str, str, str]]:
    """Each Deployment, ReplicaSet and pod of a cluster, in the version that it has."""
    with api_client(lab, cluster) as api:
        core: Any = client.CoreV1Api(api)
        apps: Any = client.AppsV1Api(api)
        lists = (
            apps.list_deployment_for_all_namespaces(),
            apps.list_replica_set_for_all_namespaces(),
            core.list_pod_for_all_namespaces(),
        )
    return {
        (each.metadata.namespace, each.metadata.name, each.metadata.resource_version)
        for listed in lists
        for each in listed.items
    }
