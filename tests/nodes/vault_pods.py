"""Vault's servers as pods of a StatefulSet, as HashiCorp's chart makes them, on a real node."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client

from lab.credentials import authority_files, server_files
from lab.lab import Lab

from .pods import api_client, execute, until

CLUSTER = "mgmt"
NAMESPACE = "vault-servers"
SECONDS = 180.0
_IMAGE = "docker.io/hashicorp/vault:1.13.1"
_LABELS = {"app.kubernetes.io/instance": "vault", "app.kubernetes.io/name": "vault"}
_FOLDERS = {"config": "/vault/config", "tls": "/vault/tls", "data": "/vault/data"}


@dataclass(frozen=True)
class VaultPods:
    """The pods, whose data goes with them."""

    lab: Lab
    ca_file: Path
    names: tuple[str, ...]

    @property
    def _core(self) -> Any:
        return client.CoreV1Api(api_client(self.lab, CLUSTER))

    def lose(self, *names: str) -> None:
        """Deletes pods with their data, and waits for those that come in their place."""
        before = {name: self._uid(name) for name in names}
        for name in names:
            self._core.delete_namespaced_pod(name, NAMESPACE, grace_period_seconds=0)
        until(lambda: all(self._uid(each) != before[each] for each in names), "new pods", SECONDS)
        self.await_running()

    def await_running(self) -> None:
        until(lambda: all(map(self._runs, self.names)), "running pods", SECONDS)

    def asked(self, name: str, command: str, token: str = "") -> Any:
        """What Vault's own command prints in a pod, as JSON."""
        return json.loads(self.run(name, command, token))

    def run(self, name: str, command: str, token: str = "") -> str:
        """Runs it."""
        address = f"https://{name}.vault-internal:8200"
        variables = f"VAULT_ADDR={address} VAULT_CACERT=/vault/tls/ca.crt VAULT_TOKEN={token}"
        script = f"{variables} VAULT_FORMAT=json vault {command}"
        return execute(self.lab, CLUSTER, name, "vault", script, NAMESPACE)

    def _pod(self, name: str) -> Any | None:
        found = self._core.list_namespaced_pod(NAMESPACE, field_selector=f"metadata.name={name}")
        return next(iter(found.items), None)

    def _uid(self, name: str) -> str | None:
        pod = self._pod(name)
        return None if pod is None else str(pod.metadata.uid)

    def _runs(self, name: str) -> bool:
        pod = self._pod(name)
        return pod is not None and any(
            each.state.running for each in pod.status.container_statuses or ()
        )


@contextmanager
def vault_pods(lab: Lab, folder: Path, replicas: int) -> Iterator[VaultPods]:
    """As many servers that nobody has initialised; nothing of them is left behind."""
    authority = authority_files(folder, "vault")
    server = server_files(folder, "server", authority, ["*.vault-internal"])
    api = api_client(lab, CLUSTER)
    core: Any = client.CoreV1Api(api)
    apps: Any = client.AppsV1Api(api)
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    try:
        files = {
            "ca.crt": authority.certificate,
            "tls.crt": server.certificate,
            "tls.key": server.private_key,
        }
        core.create_namespaced_secret(
            NAMESPACE,
            {
                "metadata": {"name": "tls"},
                "data": {
                    name: base64.b64encode(path.read_bytes()).decode()
                    for name, path in files.items()
                },
            },
        )
        core.create_namespaced_config_map(
            NAMESPACE,
            {"metadata": {"name": "config"}, "data": {"vault.json": json.dumps(_configuration())}},
        )
        core.create_namespaced_service(NAMESPACE, _headless_service())
        until(lambda: core.list_namespaced_service_account(NAMESPACE).items, "a service account")
        apps.create_namespaced_stateful_set(NAMESPACE, _stateful_set(replicas))
        pods = VaultPods(lab, authority.certificate, tuple(f"vault-{n}" for n in range(replicas)))
        pods.await_running()
        yield pods
    finally:
        core.delete_namespace(NAMESPACE)
        until(
            lambda: NAMESPACE not in {each.metadata.name for each in core.list_namespace().items},
            "deletion of the namespace",
            SECONDS,
        )


def _configuration() -> dict[str, Any]:
    return {
        "disable_mlock": True,
        "listener": {
            "tcp": {
                "address": "[::]:8200",
                "cluster_address": "[::]:8201",
                "tls_cert_file": "/vault/tls/tls.crt",
                "tls_key_file": "/vault/tls/tls.key",
            }
        },
        "storage": {"raft": {"path": "/vault/data"}},
    }


def _headless_service() -> dict[str, Any]:
    ports = [{"name": "https", "port": 8200}, {"name": "https-internal", "port": 8201}]
    return {
        "metadata": {"name": "vault-internal"},
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": _LABELS,
            "ports": ports,
        },
    }


def _stateful_set(replicas: int) -> dict[str, Any]:
    container = {
        "name": "vault",
        "image": _IMAGE,
        "args": ["server"],
        "env": [
            _of_pod("POD_IP", "status.podIP"),
            _of_pod("POD_NAME", "metadata.name"),
            {"name": "VAULT_RAFT_NODE_ID", "value": "$(POD_NAME)"},
            # As the chart has it, and no certificate holds for.
            {"name": "VAULT_API_ADDR", "value": "https://$(POD_IP):8200"},
            {"name": "VAULT_CLUSTER_ADDR", "value": "https://$(POD_NAME).vault-internal:8201"},
        ],
        "ports": [
            {"name": "https", "containerPort": 8200},
            {"name": "https-internal", "containerPort": 8201},
        ],
        "volumeMounts": [{"name": name, "mountPath": at} for name, at in _FOLDERS.items()],
    }
    pod = {
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": "config"}},
            {"name": "tls", "secret": {"secretName": "tls"}},
            {"name": "data", "emptyDir": {}},
        ],
    }
    return {
        "metadata": {"name": "vault", "labels": _LABELS},
        "spec": {
            "serviceName": "vault-internal",
            "podManagementPolicy": "Parallel",
            "replicas": replicas,
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": pod},
        },
    }


def _of_pod(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
