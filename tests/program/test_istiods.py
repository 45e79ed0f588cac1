"""Istiods of several revisions and in another namespace, each with Gloo's agent beside it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client import ApiException

from lab.lab import Lab
from lab.workload_clusters import istiod_deployment

from .inventory import kubernetes_client, vault_client
from .program import Program, clusters

AGENT = "gloo-mesh-istiod-agent"
TRUST = "mesh-trust.io/trust"


@pytest.fixture
def istiods(lab: Lab) -> Iterator[Any]:
    """Makes istiods in `east`, as Istio's charts name them; they are gone after the test."""
    api = kubernetes_client(lab, "east")
    apps: Any = client.AppsV1Api(api)
    core: Any = client.CoreV1Api(api)
    made: list[tuple[str, str]] = []
    namespaces: list[str] = []

    def make(name: str, namespace: str) -> None:
        if namespace != "istio-system":
            core.create_namespace({"metadata": {"name": namespace}})
            namespaces.append(namespace)
        deployment = istiod_deployment(replicas=0)
        deployment["metadata"] = {"name": name, "namespace": namespace}
        apps.create_namespaced_deployment(namespace, deployment)
        made.append((name, namespace))

    yield make
    for name, namespace in made:
        apps.delete_namespaced_deployment(name, namespace)
    for namespace in namespaces:
        core.delete_namespace(namespace)


def template(lab: Lab, name: str, namespace: str = "istio-system") -> Any:
    apps: Any = client.AppsV1Api(kubernetes_client(lab, "east"))
    return apps.read_namespaced_deployment(name, namespace).spec.template


def containers(lab: Lab, name: str, namespace: str = "istio-system") -> list[str]:
    return [each.name for each in template(lab, name, namespace).spec.containers]


def bound(lab: Lab, reviewer_mode: str = "kube") -> tuple[Any, Any]:
    role = vault_client(lab).read(
        f"auth/{reviewer_mode}-east-mesh-auth/role/gen-int-ca-istio-east-mesh"
    )["data"]
    return role["bound_service_account_names"], role["bound_service_account_namespaces"]


def subjects(lab: Lab) -> list[tuple[str, str]]:
    rbac: Any = client.RbacAuthorizationV1Api(kubernetes_client(lab, "east"))
    binding = rbac.read_cluster_role_binding(AGENT)
    return [(each.name, each.namespace) for each in binding.subjects]


def selected(lab: Lab) -> Any:
    api: Any = client.CustomObjectsApi(kubernetes_client(lab, "east"))
    policy = api.get_namespaced_custom_object(
        "admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies", "east"
    )
    (mesh,) = policy["spec"]["applyToMeshes"]
    return mesh["istio"]


def picked(lab: Lab) -> list[str]:
    """Which revisions the policy picks, with neighbours that it must not."""
    expression = re.compile(selected(lab)["revision"])
    candidates = ("1-20", "1-21", "1-2", "1-200", "11-20", "default", "")
    return [each for each in candidates if expression.search(each)]


@pytest.mark.soak
def test_several_revisions(lab: Lab, deployed: Program, istiods: Any) -> None:
    """One list of them decides about the role in Vault, bindings, selectors and agents."""
    istiods("istiod-1-20", "istio-system")
    istiods("istiod-1-21", "istio-system")
    east, west = clusters("east", "west")
    try:
        deployed.configure(clusters=[{**east, "istioRevisions": ["1-20"]}, west])
        deployed.up()
        assert bound(lab) == (["istiod-1-20"], ["istio-system"])
        assert subjects(lab) == [("istiod-1-20", "istio-system")]
        assert picked(lab) == ["1-20"]
        assert containers(lab, "istiod-1-20") == ["discovery", AGENT]
        assert containers(lab, "istiod-1-21") == containers(lab, "istiod") == ["discovery"]
        before = template(lab, "istiod-1-20")

        deployed.configure(clusters=[{**east, "istioRevisions": ["1-20", "1-21"]}, west])
        deployed.up()
        assert bound(lab) == (["istiod-1-20", "istiod-1-21"], ["istio-system"])
        assert [name for name, _ in subjects(lab)] == ["istiod-1-20", "istiod-1-21"]
        assert picked(lab) == ["1-20", "1-21"]
        assert containers(lab, "istiod-1-21") == ["discovery", AGENT]
        # The istiod that was there is not replaced: its trust is the same.
        assert template(lab, "istiod-1-20") == before
        assert template(lab, "istiod-1-21").metadata.annotations == {
            TRUST: before.metadata.annotations[TRUST]
        }
        assert deployed.steps() == {}
    finally:
        deployed.configure_as_committed()
        deployed.up()
    assert containers(lab, "istiod") == ["discovery", AGENT]
    assert containers(lab, "istiod-1-20") == containers(lab, "istiod-1-21") == ["discovery"]


def test_another_namespace(lab: Lab, deployed: Program, istiods: Any) -> None:
    istiods("istiod", "mesh-control")
    east, west = clusters("east", "west")
    try:
        deployed.configure(clusters=[{**east, "istioNamespace": "mesh-control"}, west])
        deployed.up()
        assert bound(lab) == (["istiod"], ["mesh-control"])
        assert subjects(lab) == [("istiod", "mesh-control")]
        assert selected(lab)["namespace"] == "mesh-control"
        assert containers(lab, "istiod", "mesh-control") == ["discovery", AGENT]
        assert containers(lab, "istiod") == ["discovery"]
    finally:
        deployed.configure_as_committed()
        deployed.up()
    assert containers(lab, "istiod") == ["discovery", AGENT]


def test_an_istiod_that_is_not_there(lab: Lab, deployed: Program) -> None:
    east, west = clusters("east", "west")
    deployed.configure(clusters=[{**east, "istioRevisions": ["1-99"]}, west])
    try:
        outcome = deployed.attempt("preview")
    finally:
        deployed.configure_as_committed()
    assert outcome.exit_code != 0
    assert (
        "clusters[0].istioRevisions (cluster east): '1-99' is not valid; name the revision of an "
        "istiod that is there: istio-system has no Deployment istiod-1-99" in outcome.output
    )
    assert "Traceback" not in outcome.output
    with pytest.raises(ApiException):
        template(lab, "istiod-1-99")


@pytest.mark.soak
def test_istiod_is_replaced_when_its_trust_changes_and_not_otherwise(
    lab: Lab, deployed: Program
) -> None:
    before = template(lab, "istiod")
    try:
        # How long a login lasts, and what the policy forbids, is not what it trusts.
        deployed.configure(tokenTtlSeconds=1800, deniedParameters=["skid"])
        deployed.up()
        assert template(lab, "istiod") == before
        deployed.configure(rootCommonName="another root")
        deployed.up()
        after = template(lab, "istiod")
        assert after.metadata.annotations[TRUST] != before.metadata.annotations[TRUST]
        assert after.spec == before.spec
    finally:
        deployed.configure_as_committed()
        deployed.up()
