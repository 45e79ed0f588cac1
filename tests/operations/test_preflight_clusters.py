"""Each check of a cluster, with exactly that broken which it looks for."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
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
from .proxies import Change, in_front_of

EAST, WEST, MANAGEMENT = "cluster east", "cluster west", "cluster management"
BOTH = (EAST, WEST)
INSTALLATION = "istio-installation"
_POD = "/spec/template/spec"

Breakage = Callable[[Lab], AbstractContextManager[None]]

ROUNDS: dict[str, list[tuple[tuple[str, str], Breakage]]] = {
    "what is missing": [
        (
            ("gloo-agent", EAST),
            lambda lab: without_deployment(lab, "east", "gloo-mesh", "gloo-mesh-agent"),
        ),
        (
            ("gloo-management-server", MANAGEMENT),
            lambda lab: without_deployment(lab, "mgmt", "gloo-mesh", "gloo-mesh-mgmt-server"),
        ),
        (("gloo-workspaces", MANAGEMENT), lambda lab: without_object(lab, "workspaces", "mesh")),
        (
            ("gloo-clusters", MANAGEMENT),
            lambda lab: without_object(lab, "kubernetesclusters", "east"),
        ),
        (
            ("gloo-definitions", EAST),
            lambda lab: not_served(lab, "east", "roottrustpolicies.admin.gloo.solo.io"),
        ),
        (
            ("istiod", WEST),
            lambda lab: without_deployment(lab, "west", "istio-system", "istiod"),
        ),
    ],
    "what says something else": [
        (
            ("gloo-workspaces", MANAGEMENT),
            lambda lab: changed_object(
                lab, "workspaces", "mesh", "/spec/workloadClusters", [{"name": "west"}]
            ),
        ),
        (
            ("gloo-clusters", MANAGEMENT),
            lambda lab: changed_object(lab, "kubernetesclusters", "east", "/metadata/labels", {}),
        ),
        (
            ("istiod-account", WEST),
            lambda lab: changed_deployment(
                lab, "west", "istiod", f"{_POD}/serviceAccountName", "istiod-service-account"
            ),
        ),
    ],
    "what is in the way": [
        (
            ("gloo-workspaces", MANAGEMENT),
            lambda lab: not_served(lab, "mgmt", "workspaces.admin.gloo.solo.io"),
        ),
        (
            ("gloo-clusters", MANAGEMENT),
            lambda lab: changed_object(
                lab, "kubernetesclusters", "west", "/metadata/labels", {"cluster": "east"}
            ),
        ),
        (
            ("istiod-patch", WEST),
            lambda lab: changed_deployment(
                lab,
                "west",
                "istiod",
                f"{_POD}/containers/0/env",
                [{"name": "ROOT_CA_DIR", "value": "/theirs"}],
            ),
        ),
    ],
}
"""Several things that are broken at once, each with the check that has to see it."""


@pytest.mark.parametrize("name", ROUNDS)
def test_exactly_these_checks_fail(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust, name: str
) -> None:
    """All that is put back is well again: what is broken in one round is not in the next."""
    assert not undeployed.deployed
    with ExitStack() as broken:
        for _, breakage in ROUNDS[name]:
            broken.enter_context(breakage(lab))
        assert failing(mesh_trust) == {expected for expected, _ in ROUNDS[name]}


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


def test_what_the_configuration_supposes(undeployed: Program, mesh_trust: MeshTrust) -> None:
    release = {"by": "release", "chartKind": "legacy", "chartVersion": "2.5.13"}
    with configured(
        undeployed,
        rootTrustPolicy={"namespace": "absent"},
        agentPermissions=release,
        clusters=of_east(istioNamespace="absent"),
    ):
        told = preflight(mesh_trust)
    assert told.those("failed") == {
        ("istio-namespace", EAST),
        *((check, each) for check in ("gloo-namespace", "gloo-agent-release") for each in BOTH),
    }
    with configured(
        undeployed, clusters=of_east(istioRevisions=["1-99"], reviewerToken="automatic")
    ):
        told = preflight(mesh_trust)
    assert told.those("failed") == {("istiod", EAST), ("api-version", EAST)}
    assert (
        "has no Deployment istiod-1-99 for revision 1-99, but istiod"
        in (told.of("istiod", EAST)["seen"])
    )


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
    manifest = tmp_path / "istio.yaml"
    operator = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator"}
    manifest.write_text(yaml.safe_dump({**operator, "metadata": {"name": "istio"}, "spec": {}}))
    by_operator = {"installation": "istio-operator", "manifest": str(manifest)}
    of_both = [(INSTALLATION, EAST), (INSTALLATION, WEST)]
    helm = "/metadata/annotations/meta.helm.sh~1release-name"

    with (
        configured(undeployed, clusters=of_east(istiodAgent=by_operator)),
        changed_deployment(lab, "west", "istiod", helm, "istiod-release"),
    ):
        told = preflight(mesh_trust)
    assert told.those("failed") == {(INSTALLATION, EAST)}
    east, west = (told.of(*each)["seen"] for each in of_both)
    assert "stands by itself, and the configuration says istio-operator" in east
    assert "comes from the Helm release istiod-release, as clusters[1].istiodAgent says" in west

    with (
        configured(undeployed, clusters=of_east(istiodAgent=by_operator)),
        operators(lab, "east", "istio-system/kept", "istio-system/installed-state"),
        operators(lab, "west", "gm-iop-1-20/istiod"),
    ):
        told = preflight(mesh_trust)
    assert told.those("failed") == {(INSTALLATION, WEST)}
    assert "lifecycle-manager" in told.of(INSTALLATION, WEST)["fix"]

    with (
        operators(lab, "east", "istio-system/kept"),
        # What istioctl leaves behind, and nobody acts on.
        operators(lab, "west", "istio-system/installed-state"),
    ):
        told = preflight(mesh_trust)
    assert told.those("failed") == {(INSTALLATION, EAST)}
    assert "IstioOperator istio-system/kept" in told.of(INSTALLATION, EAST)["seen"]


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
    kubeconfig = other_server(
        str(lab.directory.kubeconfig), tmp_path, "west", "https://127.0.0.1:9"
    )
    with configured(undeployed, kubeconfig=kubeconfig):
        told = preflight(mesh_trust)
    assert told.those("failed") == {("api-server", WEST)}
    assert {subject for _, subject in told.those("unknown")} == {WEST}
    assert ("clusters-apart", "stack") in told.those("warning")
    assert ("istiod-patch", EAST) in told.those("ok")


def other_server(kubeconfig: str, folder: Path, context: str, address: str) -> str:
    """A kubeconfig like another one, in which `context` leads to `address`."""
    document = yaml.safe_load(Path(kubeconfig).read_text())
    (entry,) = (each["cluster"] for each in document["clusters"] if each["name"] == context)
    entry["server"] = address
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return str(path)


def _says(version: str | None = None, date: str | None = None) -> Change:
    """What passes an API server's answers on, but for its version or its time."""

    def change(
        path: str, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/version") and version is not None:
            body = json.dumps({**json.loads(body), "gitVersion": version}).encode()
        return status, {**headers, "Date": date or headers["Date"]}, body

    return change


@pytest.mark.parametrize(
    ("east", "west", "failed", "warned"),
    [
        (
            _says("v1.15.12"),
            _says(date="Thu, 01 Jan 2026 00:00:00 GMT"),
            {("api-version", EAST), ("clock", WEST)},
            set(),
        ),
        (_says("v1.21.14"), _says("v1.23.17"), set(), {("api-version", EAST)}),
    ],
)
def test_other_versions_and_another_time(
    lab: Lab,
    undeployed: Program,
    mesh_trust: MeshTrust,
    tmp_path: Path,
    east: Change,
    west: Change,
    failed: Pairs,
    warned: Pairs,
) -> None:
    """The real API servers, but for what they say of themselves."""
    listed = []
    with ExitStack() as proxies:
        kubeconfig = str(lab.directory.kubeconfig)
        for context, change in (("east", east), ("west", west)):
            real = kubernetes_client(lab, context).configuration
            cert = (real.cert_file, real.key_file)
            address = proxies.enter_context(in_front_of(real.host, change, real.ssl_ca_cert, cert))
            kubeconfig = other_server(kubeconfig, tmp_path, context, address)
            listed += [{**clusters(context)[0], "kubernetesHost": real.host}]
        with configured(undeployed, kubeconfig=kubeconfig, clusters=listed):
            told = preflight(mesh_trust)
    assert told.those("failed") == failed
    assert told.those("unknown") == set()
    assert told.those("warning") == SCALED_DOWN | warned
