"""What describes a whole Istio, with the agent: applied to a real API server, or rendered."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config

from lab.toolchain import Toolchain
from mesh_trust.agent_containers import AGENT, TRUST_ANNOTATION
from mesh_trust.istiod_overlay import without_agent
from mesh_trust.istiod_patch import FIELD_MANAGER
from tests.agent_program import agent_program
from tests.conformance.kubernetes.conftest import CLUSTER
from tests.existing.conftest import OwnProgram

from .installed import untyped

NAMESPACE = "default"
THEIR_PATCH = {"path": "spec.template.spec.hostNetwork", "value": True}
_AWAIT_SECONDS = 30

OPERATOR_SPEC: dict[str, Any] = {
    "profile": "minimal",
    "components": {
        "pilot": {
            "enabled": True,
            "k8s": {
                "env": [{"name": "PILOT_TRACE_SAMPLING", "value": "1"}],
                "overlays": [
                    {
                        "apiVersion": "apps/v1",
                        "kind": "Deployment",
                        "name": "istiod",
                        "patches": [THEIR_PATCH],
                    }
                ],
            },
        }
    },
}
RESOURCES: dict[str, dict[str, Any]] = {
    "istio-operator": {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": "istio", "namespace": NAMESPACE, "labels": {"theirs": "yes"}},
        "spec": OPERATOR_SPEC,
    },
    "lifecycle-manager": {
        "apiVersion": "admin.gloo.solo.io/v2",
        "kind": "IstioLifecycleManager",
        "metadata": {"name": "istiod-control-plane", "namespace": NAMESPACE},
        "spec": {
            "installations": [
                {
                    "clusters": [{"name": "east"}, {"name": "west"}],
                    "istioOperatorSpec": OPERATOR_SPEC,
                }
            ]
        },
    },
}


class Resource:
    """A resource of the API server, as its users and not the program write it."""

    def __init__(self, kubeconfig: Path, given: dict[str, Any]) -> None:
        self._api: Any = config.new_client_from_config(str(kubeconfig), CLUSTER)
        self._objects = untyped(client.CustomObjectsApi(self._api))
        self.given = given
        group, _, version = given["apiVersion"].partition("/")
        self._kind = (group, version, NAMESPACE, f"{given['kind'].lower()}s")
        self._name = given["metadata"]["name"]

    def define(self) -> None:
        """Makes a small definition of its kind, and waits until the server serves it."""
        group, version, _, plural = self._kind
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        untyped(client.ApiextensionsV1Api(self._api)).create_custom_resource_definition(
            {
                "metadata": {"name": f"{plural}.{group}"},
                "spec": {
                    "group": group,
                    "names": {"kind": self.given["kind"], "plural": plural},
                    "scope": "Namespaced",
                    "versions": [
                        {
                            "name": version,
                            "served": True,
                            "storage": True,
                            "schema": {"openAPIV3Schema": anything},
                        }
                    ],
                },
            }
        )
        deadline = time.monotonic() + _AWAIT_SECONDS
        while not self._is_served():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def _is_served(self) -> bool:
        try:
            self._objects.list_namespaced_custom_object(*self._kind)
        except client.exceptions.ApiException as error:
            if error.status != 404:
                raise
            return False
        return True

    def apply(self) -> None:
        """As `kubectl create` does the first time."""
        self._objects.create_namespaced_custom_object(
            *self._kind, self.given, field_manager="kubectl-create"
        )

    def apply_again(self) -> None:
        """As `kubectl apply` of their own file does: what their file has counts."""
        self._objects.api_client.set_default_header("Content-Type", "application/merge-patch+json")
        self._objects.patch_namespaced_custom_object(
            *self._kind, self._name, {"spec": self.given["spec"]}, field_manager="kubectl-apply"
        )

    def live(self) -> dict[str, Any]:
        found: dict[str, Any] = self._objects.get_namespaced_custom_object(*self._kind, self._name)
        return found

    def pilot(self) -> dict[str, Any]:
        spec = self.live()["spec"]
        whole = spec if "components" in spec else spec["installations"][0]["istioOperatorSpec"]
        found: dict[str, Any] = whole["components"]["pilot"]["k8s"]
        return found

    def remove(self) -> None:
        self._objects.delete_namespaced_custom_object(*self._kind, self._name)
        self._api.close()


@pytest.fixture(scope="module")
def own(
    kubeconfig_path: Path, toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> OwnProgram:
    folder = tmp_path_factory.mktemp("agent")
    return agent_program(kubeconfig_path, CLUSTER, toolchain, folder)


@pytest.fixture(scope="module")
def defined(kubeconfig_path: Path) -> None:
    for given in RESOURCES.values():
        Resource(kubeconfig_path, given).define()


@pytest.fixture(params=list(RESOURCES))
def resource(
    request: pytest.FixtureRequest,
    kubeconfig_path: Path,
    own: OwnProgram,
    defined: None,  # noqa: ARG001
) -> Iterator[Resource]:
    given = RESOURCES[request.param]
    resource = Resource(kubeconfig_path, given)
    resource.apply()
    own.settings = {"installation": request.param, "resource": given}
    yield resource
    own.run("destroy", "--yes", "--skip-preview")
    resource.remove()


def outputs(own: OwnProgram) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(own.run("stack", "output", "--json"))
    return found


def test_applied(own: OwnProgram, resource: Resource) -> None:
    own.settings["delivery"] = "apply"
    own.up()

    pilot = resource.pilot()
    [overlay] = pilot["overlays"]
    assert overlay["patches"][0] == THEIR_PATCH
    assert AGENT in [each["value"].get("name") for each in overlay["patches"][1:3]]
    assert [each["name"] for each in pilot["env"]] == [
        "PILOT_TRACE_SAMPLING",
        "ISTIO_MULTIROOT_MESH",
    ]
    assert pilot["podAnnotations"] == {TRUST_ANNOTATION: outputs(own)["trust"]}
    assert resource.live()["metadata"].get("labels") == resource.given["metadata"].get("labels")
    own.run("up", "--yes", "--skip-preview", "--expect-no-changes", "--refresh")

    own.settings["trust"] = {"root": "another"}
    own.up()
    changed = resource.pilot()
    assert changed["podAnnotations"] != pilot["podAnnotations"]
    assert {**changed, "podAnnotations": None} == {**pilot, "podAnnotations": None}

    uid = resource.live()["metadata"]["uid"]
    own.run("destroy", "--yes", "--skip-preview")
    assert resource.pilot() == changed
    assert resource.live()["metadata"]["uid"] == uid
    without = without_agent(resource.live())
    assert without["spec"] == resource.given["spec"]
    resource.apply_again()
    assert resource.pilot()["overlays"][0]["patches"] == [THEIR_PATCH]


def test_rendered(own: OwnProgram, resource: Resource) -> None:
    before = resource.live()

    own.up()

    found = outputs(own)
    manifest = yaml.safe_load(found["manifest"])
    assert found["trust"] in found["manifest"]
    assert without_agent(manifest) == resource.given
    assert manifest != resource.given
    assert resource.live() == before
    assert FIELD_MANAGER not in str(before)
    own.run("up", "--yes", "--skip-preview", "--expect-no-changes")
