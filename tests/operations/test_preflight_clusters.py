"""Each check of a cluster, with exactly that broken which it looks for."""

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from lab.lab import Lab
from lab.workload_clusters import istiod_deployment
from tests.program.inventory import kubernetes_client
from tests.program.program import Program, clusters

from .broken import (
    changed_deployment,
    changed_object,
    not_served,
    without_deployment,
    without_object,
)
from .command import MeshTrust
from .looked import SCALED_DOWN, Pairs, failing, preflight
from .proxies import in_front_of

EAST, WEST, MANAGEMENT = "cluster east", "cluster west", "cluster management"
_POD = "/spec/template/spec"

BREAKAGES: dict[str, tuple[Any, Pairs]] = {
    "Gloo's agent is missing": (
        lambda lab: without_deployment(lab, "east", "gloo-mesh", "gloo-mesh-agent"),
        {("gloo-agent", EAST)},
    ),
    "Gloo's management server is missing": (
        lambda lab: without_deployment(lab, "mgmt", "gloo-mesh", "gloo-mesh-mgmt-server"),
        {("gloo-management-server", MANAGEMENT)},
    ),
    "there is no workspace": (
        lambda lab: without_object(lab, "workspaces", "mesh"),
        {("gloo-workspaces", MANAGEMENT)},
    ),
    "a workspace without a cluster": (
        lambda lab: changed_object(
            lab, "workspaces", "mesh", "/spec/workloadClusters", [{"name": "west"}]
        ),
        {("gloo-workspaces", MANAGEMENT)},
    ),
    "workspaces are not defined": (
        lambda lab: not_served(lab, "mgmt", "workspaces.admin.gloo.solo.io"),
        {("gloo-workspaces", MANAGEMENT)},
    ),
    "a cluster is not registered": (
        lambda lab: without_object(lab, "kubernetesclusters", "east"),
        {("gloo-clusters", MANAGEMENT)},
    ),
    "a cluster has no label": (
        lambda lab: changed_object(lab, "kubernetesclusters", "east", "/metadata/labels", {}),
        {("gloo-clusters", MANAGEMENT)},
    ),
    "a label is another cluster's too": (
        lambda lab: changed_object(
            lab, "kubernetesclusters", "west", "/metadata/labels", {"cluster": "east"}
        ),
        {("gloo-clusters", MANAGEMENT)},
    ),
    "RootTrustPolicies are not defined": (
        lambda lab: not_served(lab, "east", "roottrustpolicies.admin.gloo.solo.io"),
        {("gloo-definitions", EAST)},
    ),
    "istiod is missing": (
        lambda lab: without_deployment(lab, "west", "istio-system", "istiod"),
        {("istiod", WEST)},
    ),
    "istiod has another account": (
        lambda lab: changed_deployment(
            lab, "west", "istiod", f"{_POD}/serviceAccountName", "istiod-service-account"
        ),
        {("istiod-account", WEST)},
    ),
    "istiod's folder is others'": (
        lambda lab: changed_deployment(
            lab,
            "west",
            "istiod",
            f"{_POD}/containers/0/env",
            [{"name": "ROOT_CA_DIR", "value": "/theirs"}],
        ),
        {("istiod-patch", WEST)},
    ),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_exactly_that_check_fails(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust, breakage: str
) -> None:
    broken, expected = BREAKAGES[breakage]
    way: AbstractContextManager[None] = broken(lab)
    assert not undeployed.deployed
    with way:
        assert failing(mesh_trust) == expected


@contextmanager
def configured(program: Program, **changes: Any) -> Iterator[None]:
    program.configure(**changes)
    try:
        yield
    finally:
        program.configure_as_committed()


def of_east(**fields: Any) -> list[dict[str, Any]]:
    east, west = clusters("east", "west")
    return [{**east, **fields}, west]


def test_all_is_put_back(undeployed: Program, mesh_trust: MeshTrust) -> None:
    """The control of the test above."""
    assert not undeployed.deployed
    told = preflight(mesh_trust)
    assert (told.exit_code, told.those("warning")) == (0, SCALED_DOWN)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"rootTrustPolicy": {"namespace": "absent"}},
            {("gloo-namespace", EAST), ("gloo-namespace", WEST)},
        ),
        ({"clusters": of_east(istioNamespace="absent")}, {("istio-namespace", EAST)}),
        ({"clusters": of_east(istioRevisions=["1-99"])}, {("istiod", EAST)}),
        ({"clusters": of_east(reviewerToken="automatic")}, {("api-version", EAST)}),
        ({"clusters": of_east(clusterLabels={"cluster": "west"})}, None),
        (
            {
                "agentPermissions": {
                    "by": "release",
                    "chartKind": "legacy",
                    "chartVersion": "2.5.13",
                }
            },
            {("gloo-agent-release", EAST), ("gloo-agent-release", WEST)},
        ),
    ],
)
def test_what_the_configuration_supposes(
    undeployed: Program, mesh_trust: MeshTrust, changes: dict[str, Any], expected: Pairs | None
) -> None:
    with configured(undeployed, **changes):
        failed = failing(mesh_trust)
    if expected is None:
        # A label of two clusters is refused by the configuration itself.
        expected = {("configuration", "stack")}
    assert failed == expected


def test_no_management_cluster_is_told(undeployed: Program, mesh_trust: MeshTrust) -> None:
    with configured(undeployed, management=None):
        told = preflight(mesh_trust)
    assert told.exit_code == 0
    assert ("management-cluster", "stack") in told.those("warning")
    assert not [each for each in told.findings if each["subject"] == MANAGEMENT]


@pytest.fixture
def canary(lab: Lab) -> Iterator[None]:
    """A second istiod in `east`, whose pods are of another revision than its name says."""
    api = kubernetes_client(lab, "east")
    apps: Any = client.AppsV1Api(api)
    core: Any = client.CoreV1Api(api)
    deployment = istiod_deployment(replicas=0)
    deployment["metadata"]["name"] = "istiod-1-20"
    deployment["spec"]["template"]["spec"]["serviceAccountName"] = "istiod-1-20"
    core.create_namespaced_service_account("istio-system", {"metadata": {"name": "istiod-1-20"}})
    apps.create_namespaced_deployment("istio-system", deployment)
    yield
    apps.delete_namespaced_deployment("istiod-1-20", "istio-system")
    core.delete_namespaced_service_account("istiod-1-20", "istio-system")


@pytest.mark.usefixtures("canary")
def test_revisions(undeployed: Program, mesh_trust: MeshTrust) -> None:
    told = preflight(mesh_trust)
    assert told.exit_code == 0
    assert told.those("warning") == {*SCALED_DOWN, ("istiod-revision", EAST)}
    assert "istiod-1-20 (revision default)" in told.of("istiod-revision", EAST)["seen"]

    with configured(undeployed, clusters=of_east(istioRevisions=["1-20"])):
        told = preflight(mesh_trust)
    assert told.those("failed") == {("istiod-revision", EAST)}
    assert "are of revision default" in told.of("istiod-revision", EAST)["seen"]


def test_how_istio_was_installed(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust, tmp_path: Path
) -> None:
    told = preflight(mesh_trust)
    assert "stands by itself" in told.of("istio-installation", WEST)["seen"]
    manifest = tmp_path / "istio.yaml"
    operator = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator"}
    manifest.write_text(yaml.safe_dump({**operator, "metadata": {"name": "istio"}, "spec": {}}))
    by_operator = {"installation": "istio-operator", "manifest": str(manifest)}
    expected = {("istio-installation", EAST)}

    with configured(undeployed, clusters=of_east(istiodAgent=by_operator)):
        assert failing(mesh_trust) == expected
        with operators(lab, "east", "istio-system/kept", "istio-system/installed-state"):
            assert failing(mesh_trust) == set()
    with operators(lab, "east", "istio-system/kept"):
        told = preflight(mesh_trust)
        assert told.those("failed") == expected
        assert "istio-system/kept" in told.of(*expected.copy().pop())["seen"]
    with operators(lab, "east", "istio-system/installed-state"):
        # What istioctl leaves behind, and nobody acts on.
        assert failing(mesh_trust) == set()
    with operators(lab, "east", "gm-iop-1-20/istiod"):
        told = preflight(mesh_trust)
        assert told.those("failed") == expected
        assert "lifecycle-manager" in told.of(*expected.copy().pop())["fix"]
    helm = "/metadata/annotations/meta.helm.sh~1release-name"
    with changed_deployment(lab, "west", "istiod", helm, "istiod-release"):
        told = preflight(mesh_trust)
        assert "Helm release istiod-release" in told.of("istio-installation", WEST)["seen"]


@contextmanager
def operators(lab: Lab, cluster: str, *places: str) -> Iterator[None]:
    """IstioOperators at `places`, of a definition that takes anything."""
    api = kubernetes_client(lab, cluster)
    core: Any = client.CoreV1Api(api)
    definitions: Any = client.ApiextensionsV1Api(api)
    custom: Any = client.CustomObjectsApi(api)
    group, plural = "install.istio.io", "istiooperators"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definitions.create_custom_resource_definition(
        {
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"kind": "IstioOperator", "plural": plural, "singular": "istiooperator"},
                "versions": [
                    {
                        "name": "v1alpha1",
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": anything},
                    }
                ],
            },
        }
    )
    made = [each.partition("/")[0] for each in places if not each.startswith("istio-system/")]
    try:
        for namespace in made:
            core.create_namespace({"metadata": {"name": namespace}})
        for place in places:
            namespace, _, name = place.partition("/")
            _create_when_served(custom, group, namespace, plural, name)
        yield
    finally:
        definitions.delete_custom_resource_definition(f"{plural}.{group}")
        _await_gone(definitions, f"{plural}.{group}")
        for namespace in made:
            core.delete_namespace(namespace)


def _create_when_served(custom: Any, group: str, namespace: str, plural: str, name: str) -> None:
    deadline = time.monotonic() + 30
    content = {
        "apiVersion": f"{group}/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": name},
    }
    while True:
        try:
            custom.create_namespaced_custom_object(group, "v1alpha1", namespace, plural, content)
        except ApiException as error:
            if error.status != 404 or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _await_gone(definitions: Any, name: str) -> None:
    deadline = time.monotonic() + 30
    while definitions.list_custom_resource_definition(field_selector=f"metadata.name={name}").items:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_api_server_that_is_down(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust, tmp_path: Path
) -> None:
    """The others are looked at all the same."""
    kubeconfig = other_server(lab, tmp_path, "west", "https://127.0.0.1:9")
    with configured(undeployed, kubeconfig=kubeconfig):
        told = preflight(mesh_trust)
    assert told.those("failed") == {("api-server", WEST)}
    assert {subject for _, subject in told.those("unknown")} == {WEST}
    assert ("clusters-apart", "stack") in told.those("warning")
    assert ("istiod-patch", EAST) in told.those("ok")


def other_server(lab: Lab, folder: Path, context: str, address: str) -> str:
    """The lab's kubeconfig, in which `context` leads to `address`."""
    document = yaml.safe_load(lab.directory.kubeconfig.read_text())
    (entry,) = (each["cluster"] for each in document["clusters"] if each["name"] == context)
    entry["server"] = address
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return str(path)


@pytest.mark.parametrize(
    ("version", "date", "expected", "warned"),
    [
        ("v1.15.12", None, {("api-version", WEST)}, set()),
        ("v1.21.14", None, set(), {("api-version", WEST)}),
        ("v1.23.17", None, set(), set()),
        (None, "Thu, 01 Jan 2026 00:00:00 GMT", {("clock", WEST)}, set()),
    ],
)
def test_another_version_and_another_time(
    lab: Lab,
    undeployed: Program,
    mesh_trust: MeshTrust,
    tmp_path: Path,
    version: str | None,
    date: str | None,
    expected: Pairs,
    warned: Pairs,
) -> None:
    """The real API server, but for what it says of itself."""

    def change(
        path: str, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/version") and version is not None:
            body = json.dumps({**json.loads(body), "gitVersion": version}).encode()
        return status, {**headers, "Date": date or headers["Date"]}, body

    api: Any = kubernetes_client(lab, "west")
    real = api.configuration
    cert = (real.cert_file, real.key_file)
    with in_front_of(real.host, change, real.ssl_ca_cert, cert) as address:
        kubeconfig = other_server(lab, tmp_path, "west", address)
        east, west = clusters("east", "west")
        told_host = [east, {**west, "kubernetesHost": real.host}]
        with configured(undeployed, kubeconfig=kubeconfig, clusters=told_host):
            told = preflight(mesh_trust)
    assert told.those("failed") == expected
    assert told.those("warning") == SCALED_DOWN | warned
