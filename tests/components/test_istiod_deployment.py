"""The agent in a Deployment of others, on a real API server, where its pods do not matter."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from lab.toolchain import Toolchain
from mesh_trust.agent_containers import AGENT, AGENT_INIT
from tests.agent_program import agent_program
from tests.conformance.kubernetes.conftest import CLUSTER
from tests.existing.conftest import OwnProgram

from .installed import untyped

NAMESPACE = "default"
CANARY = "a-canary-that-must-not-show"
_AWAIT_SECONDS = 30

MANIFEST: dict[str, Any] = {
    "metadata": {"name": "istiod", "namespace": NAMESPACE},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "istiod"}},
        "template": {
            "metadata": {"labels": {"app": "istiod"}},
            "spec": {
                "containers": [
                    {
                        "name": "discovery",
                        "image": "example.invalid/pilot:1",
                        "env": [{"name": "THEIRS", "value": CANARY}],
                        "volumeMounts": [{"name": "local-certs", "mountPath": "/certs"}],
                    }
                ],
                "volumes": [{"name": "local-certs", "emptyDir": {"medium": "Memory"}}],
            },
        },
    },
}


class Deployment:
    """istiod's, as others write it."""

    def __init__(self, kubeconfig: Path) -> None:
        self._api: Any = config.new_client_from_config(str(kubeconfig), CLUSTER)
        self._apps = untyped(client.AppsV1Api(self._api))
        self._place = (MANIFEST["metadata"]["name"], NAMESPACE)
        self._apps.create_namespaced_deployment(NAMESPACE, MANIFEST, field_manager="helm")
        self.settled()

    def live(self) -> dict[str, Any]:
        found = self._apps.read_namespaced_deployment(*self._place)
        return dict(self._api.sanitize_for_serialization(found))

    def settled(self) -> dict[str, Any]:
        """The Deployment, once its controller has seen it as it is."""
        deadline = time.monotonic() + _AWAIT_SECONDS
        while True:
            live = self.live()
            seen = live.get("status", {}).get("observedGeneration")
            if seen == live["metadata"]["generation"]:
                return live
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def merge(self, pod: dict[str, Any]) -> None:
        self._apps.patch_namespaced_deployment(
            *self._place, {"spec": {"template": {"spec": pod}}}, field_manager="somebody"
        )

    def replace(self) -> None:
        """As `helm upgrade --force` does."""
        self._apps.replace_namespaced_deployment(*self._place, MANIFEST, field_manager="helm")

    def remove(self) -> None:
        self._apps.delete_namespaced_deployment(*self._place)

    def init_containers(self) -> list[str]:
        pod = self.settled()["spec"]["template"]["spec"]
        return [each["name"] for each in pod.get("initContainers", [])]


@pytest.fixture(scope="module")
def own(
    kubeconfig_path: Path, toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> OwnProgram:
    program = agent_program(kubeconfig_path, CLUSTER, toolchain, tmp_path_factory.mktemp("agent"))
    program.settings = {"istio_namespace": NAMESPACE}
    return program


@pytest.fixture
def deployment(kubeconfig_path: Path, own: OwnProgram) -> Iterator[Deployment]:
    deployment = Deployment(kubeconfig_path)
    shown = own.run("up", "--yes", "--skip-preview", "--diff")
    assert "+ kubernetes:apps/v1:DeploymentPatch: (create)" in shown
    assert CANARY not in shown
    yield deployment
    own.run("destroy", "--yes", "--skip-preview", "--refresh")
    deployment.remove()


def test_what_others_do_to_it(own: OwnProgram, deployment: Deployment) -> None:
    # Without its volume the agent could not be, so it is not let go.
    without = {
        "containers": [
            {"name": "discovery", "volumeMounts": [{"mountPath": "/certs", "$patch": "delete"}]}
        ],
        "volumes": [{"name": "local-certs", "$patch": "delete"}],
    }
    with pytest.raises(client.exceptions.ApiException) as refused:
        deployment.merge(without)
    assert refused.value.status == 422
    assert 'volumeMounts[0].name: Not found: \\"local-certs\\"' in str(refused.value.body)

    deployment.replace()
    assert deployment.init_containers() == []
    own.run("up", "--yes", "--skip-preview", "--refresh")
    assert deployment.init_containers() == [AGENT_INIT]

    # With containers of others before the agent's the patch is written anew each time, and
    # nothing is another by that.
    deployment.merge({"initContainers": [{"name": "theirs", "image": "example.invalid/theirs:1"}]})
    assert deployment.init_containers() == ["theirs", AGENT_INIT]
    before = deployment.settled()
    for _ in range(2):
        assert "1 updated" in own.run("up", "--yes", "--skip-preview", "--refresh")
    after = deployment.settled()
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_a_state_that_was_lost(own: OwnProgram, deployment: Deployment) -> None:
    own.forget("agent-patch")
    own.up()
    own.run("destroy", "--yes", "--skip-preview")

    live = deployment.settled()
    pod = live["spec"]["template"]["spec"]
    assert "initContainers" not in pod
    assert [each["name"] for each in pod["containers"]] == ["discovery"]
    assert "envFrom" not in pod["containers"][0]
    assert AGENT not in str(live["metadata"]["managedFields"])


def test_a_deployment_that_is_gone(
    own: OwnProgram, deployment: Deployment, kubeconfig_path: Path
) -> None:
    deployment.remove()

    code, output = own.attempt("destroy", "--yes", "--skip-preview")
    assert code != 0
    assert "this Patch resource is currently managing a required field" in output
    own.run("destroy", "--yes", "--skip-preview", "--refresh")

    # For what comes after the test.
    Deployment(kubeconfig_path)
