"""What a chart, a scheduler and a kubelet write about a Vault, written to a real API server.

The StatefulSet's pod, its revision and its events are the real controller manager's.
"""

import time
from pathlib import Path
from typing import Any

from kubernetes import client, config

from mesh_trust.cluster_access import ClusterAccess
from mesh_trust.readiness import Obstacle, Ready
from mesh_trust.vault_in_cluster import VaultInCluster
from mesh_trust.vault_values import VaultObjects
from tests.conformance.kubernetes.conftest import CLUSTER

NAME = "vault"
IMAGE = "docker.io/hashicorp/vault:2.0.4"
_LABELS = {"app.kubernetes.io/name": NAME, "component": "server"}
_AWAIT_SECONDS = 60


def untyped(api: object) -> Any:
    """`api` without its types, which take no dictionaries and make every field optional."""
    return api


class InstalledVault:
    """A Vault in a namespace of its own, on a node of its own."""

    def __init__(self, kubeconfig: Path) -> None:
        api = config.new_client_from_config(str(kubeconfig), CLUSTER)
        self.core = untyped(client.CoreV1Api(api))
        self.apps = untyped(client.AppsV1Api(api))
        made = self.core.create_namespace({"metadata": {"generateName": "vault-"}})
        self.namespace: str = made.metadata.name
        self.core.create_node({"metadata": {"name": self.namespace}})
        self.access = ClusterAccess(str(kubeconfig), CLUSTER)
        self.service_type, self.port = "LoadBalancer", 8200
        self.servers = 0
        """How many keep what they are told; 0: it is a development server."""

    def remove(self) -> None:
        """Deletes both; what is in the namespace goes on its own."""
        self.core.delete_node(self.namespace)
        self.core.delete_namespace(self.namespace)

    def look(self) -> Ready | Obstacle:
        """What a component sees of it."""
        return self._seen().look()

    def address(self) -> str | None:
        """What a component takes for its address, ready or not."""
        return self._seen().address()

    def _seen(self) -> VaultInCluster:
        objects = VaultObjects(
            *("vault", self.namespace, NAME, self.service_type, self.port),
            replicas=self.servers or 1,
            is_development=not self.servers,
        )
        return VaultInCluster(self.access, objects)

    def look_until(self, kind: str, saying: str = "") -> Obstacle:
        """What a component sees once it is that: controllers take a moment."""
        deadline = time.monotonic() + _AWAIT_SECONDS
        while True:
            found = self.look()
            if isinstance(found, Obstacle) and found.kind == kind and saying in found.reason:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.1)

    def look_until_ready(self) -> Ready:
        """What a component sees once it is ready."""
        deadline = time.monotonic() + _AWAIT_SECONDS
        while not isinstance(found := self.look(), Ready):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found

    def stateful_set(self, **spec: Any) -> None:
        """Makes the StatefulSet as the chart does."""
        self.apps.create_namespaced_stateful_set(
            self.namespace,
            {
                "metadata": {"name": NAME},
                "spec": {
                    "serviceName": "vault-internal",
                    "podManagementPolicy": "Parallel",
                    "updateStrategy": {"type": "OnDelete"},
                    "selector": {"matchLabels": _LABELS},
                    "template": {
                        "metadata": {"labels": _LABELS},
                        "spec": {
                            "terminationGracePeriodSeconds": 0,
                            "containers": [{"name": "vault", "image": IMAGE}],
                        },
                    },
                    **spec,
                },
            },
        )

    def upgrade(self, image: str) -> None:
        """Changes the template of the pod, as an upgrade of values does."""
        change = {"spec": {"containers": [{"name": "vault", "image": image}]}}
        self.apps.patch_namespaced_stateful_set(
            NAME, self.namespace, {"spec": {"template": change}}
        )

    def service(self, service_type: str = "LoadBalancer") -> None:
        """Makes the Service as the chart does."""
        self.service_type = service_type
        self.core.create_namespaced_service(
            self.namespace,
            {
                "metadata": {"name": f"{NAME}-active" if self.servers > 1 else NAME},
                "spec": {
                    "type": service_type,
                    "publishNotReadyAddresses": True,
                    "selector": _LABELS,
                    "ports": [{"name": "http", "port": self.port}],
                },
            },
        )

    def load_balancer(self, **ingress: str) -> None:
        """Gives the Service its address."""
        status = {"loadBalancer": {"ingress": [ingress]}}
        self.core.patch_namespaced_service_status(NAME, self.namespace, {"status": status})

    def pod(self, number: int = 0) -> Any:
        """A pod, which the controller manager makes."""
        deadline = time.monotonic() + _AWAIT_SECONDS
        while True:
            for pod in self.core.list_namespaced_pod(self.namespace).items:
                is_it = pod.metadata.name == f"{NAME}-{number}"
                if is_it and pod.metadata.deletion_timestamp is None:
                    return pod
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def schedule(self, number: int = 0) -> None:
        """Puts a pod on the node, as the scheduler does."""
        target = {"apiVersion": "v1", "kind": "Node", "name": self.namespace}
        self.core.create_namespaced_pod_binding(
            self.pod(number).metadata.name,
            self.namespace,
            {"metadata": {"name": f"{NAME}-{number}"}, "target": target},
            _preload_content=False,
        )

    def report(self, phase: str, *, ready: bool = False, number: int = 0, **container: Any) -> None:
        """Says how a pod and its container are, as the kubelet does."""
        state = {
            "name": "vault",
            "image": IMAGE,
            "imageID": "",
            "ready": ready,
            "restartCount": 0,
            **container,
        }
        conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
        self.status(number, phase=phase, conditions=conditions, containerStatuses=[state])

    def status(self, number: int = 0, **status: Any) -> Any:
        """Writes any status of a pod; the pod as it then is."""
        return self.core.patch_namespaced_pod_status(
            self.pod(number).metadata.name, self.namespace, {"status": status}
        )

    def run(self) -> None:
        """Has the pod scheduled, started and ready."""
        self.schedule()
        self.report("Running", ready=True, state={"running": {}})

    def event(self, of: Any, kind: str, reason: str, message: str) -> None:
        """Has a component of the cluster complain."""
        reference = {
            "kind": kind,
            "namespace": self.namespace,
            "name": of.metadata.name,
            "uid": of.metadata.uid,
        }
        self.core.create_namespaced_event(
            self.namespace,
            {
                "metadata": {"generateName": "complaint-"},
                "involvedObject": reference,
                "type": "Warning",
                "reason": reason,
                "message": message,
                "lastTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            },
        )
