"""An istiod of a release of Helm's, with its pod."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from lab.lab import Lab
from tests.commands import run_command

from .pods import api_client, execute, until

CLUSTER = "east"
NAMESPACE = "istio-system"

_HERE = Path(__file__).parent
_CHART = _HERE / "istiod_chart"


@dataclass(frozen=True)
class Istiod:
    """The Deployment of one revision, and the release that it is of."""

    lab: Lab
    helm: Path
    revision: str = "canary"

    @property
    def name(self) -> str:
        return f"istiod-{self.revision}"

    def release(self, **values: Any) -> None:
        """Installs or upgrades istiod with Helm, as it is documented for Istio."""
        self._helm("upgrade", "--install", self.name, str(_CHART), *self._values(values))

    def uninstall(self) -> None:
        self._helm("uninstall", self.name, "--ignore-not-found", "--wait")

    def manifest(self, **values: Any) -> dict[str, Any]:
        """The Deployment as the chart has it."""
        printed = self._helm("template", self.name, str(_CHART), *self._values(values))
        found: dict[str, Any] = yaml.safe_load(printed)
        return found

    def _values(self, values: Mapping[str, Any]) -> list[str]:
        given = {"revision": self.revision, **values}
        return [f"--set-json={key}={json.dumps(each)}" for key, each in given.items()]

    def _helm(self, *arguments: str) -> str:
        done = run_command(
            [
                self.helm,
                *arguments,
                *("--kubeconfig", self.lab.directory.kubeconfig, "--kube-context", CLUSTER),
                *("--namespace", NAMESPACE),
            ],
            _HERE,
            {"HOME": str(self.lab.directory.root), "PATH": os.environ["PATH"]},
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def live(self) -> dict[str, Any]:
        """The Deployment as JSON has it."""
        with api_client(self.lab, CLUSTER) as api:
            found = client.AppsV1Api(api).read_namespaced_deployment(self.name, NAMESPACE)
            return dict(api.sanitize_for_serialization(found))

    def patch(self, change: Mapping[str, Any], content_type: str, **options: Any) -> None:
        """Changes the Deployment as somebody who is neither Helm nor the program."""
        with api_client(self.lab, CLUSTER) as api:
            apps: Any = client.AppsV1Api(api)
            apps.patch_namespaced_deployment(
                self.name, NAMESPACE, change, _content_type=content_type, **options
            )

    def pods(self) -> list[Any]:
        selector = f"app=istiod,istio.io/rev={self.revision}"
        with api_client(self.lab, CLUSTER) as api:
            found = client.CoreV1Api(api).list_namespaced_pod(NAMESPACE, label_selector=selector)
        return list(found.items)

    def container(self, name: str) -> dict[str, Any]:
        containers = self.live()["spec"]["template"]["spec"]["containers"]
        return next(each for each in containers if each["name"] == name)

    def rolled_out(self) -> Any:
        """The one pod, once there is no other and it is ready."""

        def only() -> Any:
            live, pods = self.live(), self.pods()
            settled = live["metadata"]["generation"] == live["status"].get("observedGeneration")
            return pods[0] if settled and len(pods) == 1 and is_ready(pods[0]) else None

        return until(only, f"rollout of {self.name}")

    def execute(self, container: str, script: str) -> str:
        """What a script prints in a container of the pod."""
        pod = self.rolled_out().metadata.name
        return execute(self.lab, CLUSTER, pod, container, script, NAMESPACE)


def is_ready(pod: Any) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)


def names(containers: list[Mapping[str, Any]]) -> list[str]:
    return [each["name"] for each in containers]
