"""The agent in an IstioOperator or an IstioLifecycleManager: merged, merged again, taken away."""

import copy
from typing import Any

import pytest
import yaml

from mesh_trust import InvalidInputError
from mesh_trust.agent_containers import AGENT, AGENT_INIT, DEFAULT_RESOURCES, Agent, checked_agent
from mesh_trust.istiod_overlay import with_agent, without_agent

DIGEST = "0" * 64
IMAGE = "registry.example/agent"
THEIRS = {"path": "spec.template.spec.hostNetwork", "value": True}


def agent(version: str = "2.5.13") -> Agent:
    return checked_agent(IMAGE, version, "IfNotPresent", DEFAULT_RESOURCES)


def operator(spec: Any = None, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": "istio", **metadata},
        **({} if spec is None else {"spec": spec}),
    }


def k8s(**content: Any) -> dict[str, Any]:
    return operator({"components": {"pilot": {"k8s": content}}})


def overlay(*patches: dict[str, Any], **changes: Any) -> dict[str, Any]:
    given = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "istiod"}
    return {**given, "patches": list(patches), **changes}


def manager(*installations: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "admin.gloo.solo.io/v2",
        "kind": "IstioLifecycleManager",
        "metadata": {"name": "control-plane", "namespace": "gloo-mesh"},
        "spec": {"installations": list(installations)},
    }


EAST: dict[str, Any] = {
    "clusters": [{"name": "east", "defaultRevision": True}, {"name": "west"}],
    "revision": "1-20",
    "istioOperatorSpec": {"profile": "minimal", "hub": "hub", "tag": "1.20.2-solo"},
}
NORTH: dict[str, Any] = {**EAST, "clusters": [{"name": "north"}], "revision": "1-19"}

OPERATORS = [
    operator({"profile": "minimal"}),
    operator({"components": {"pilot": {"enabled": True}}}, namespace="istio-system"),
    operator({"components": {"ingressGateways": [{"name": "gateway"}]}, "values": {"a": 1}}),
    k8s(env=[{"name": "OTHER", "value": "x"}], replicaCount=2),
    k8s(podAnnotations={"theirs": "yes"}),
    k8s(overlays=[overlay(THEIRS)]),
    k8s(overlays=[overlay(THEIRS, kind="Service"), overlay(THEIRS, name="other")]),
    k8s(overlays=[overlay(THEIRS, kind="Service"), overlay(THEIRS)], env=[{"name": "A"}]),
]


@pytest.mark.parametrize("given", OPERATORS)
def test_there_and_back(given: dict[str, Any]) -> None:
    before = copy.deepcopy(given)

    merged = with_agent(given, agent(), DIGEST)

    assert given == before
    assert merged != given
    assert with_agent(merged, agent(), DIGEST) == merged
    assert without_agent(merged) == given
    assert without_agent(given) == given
    assert yaml.safe_load(yaml.safe_dump(merged)) == merged


def test_the_overlay_is_as_documented() -> None:
    merged = with_agent(k8s(overlays=[overlay(THEIRS)]), agent(), DIGEST)

    pilot = merged["spec"]["components"]["pilot"]["k8s"]
    [only] = pilot["overlays"]
    theirs, volume, sidecar, init = only["patches"]
    assert theirs == THEIRS
    assert volume == {
        "path": "spec.template.spec.volumes[name:cacerts]",
        "value": {"name": "cacerts", "emptyDir": {"medium": "Memory"}},
    }
    assert sidecar["path"] == "spec.template.spec.containers[1]"
    assert (sidecar["value"]["name"], sidecar["value"]["args"]) == (AGENT, ["sidecar"])
    assert sidecar["value"]["image"] == f"{IMAGE}:2.5.13"
    assert init["path"] == "spec.template.spec.initContainers"
    assert [each["name"] for each in init["value"]] == [AGENT_INIT]
    assert sidecar["value"]["volumeMounts"] == [{"name": "cacerts", "mountPath": "/etc/cacerts"}]
    assert pilot["env"] == [{"name": "ISTIO_MULTIROOT_MESH", "value": "true"}]
    assert pilot["podAnnotations"] == {"mesh-trust.io/trust": DIGEST}


def test_another_version_takes_the_place_of_the_one_before() -> None:
    before = with_agent(operator({}), agent("2.5.12"), DIGEST)

    assert with_agent(before, agent(), "1" * 64) == with_agent(operator({}), agent(), "1" * 64)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.template.spec.containers[1]", {"name": "istiod-agent"}),
        ("spec.template.spec.containers.[1]", {"name": "theirs"}),
        ("spec.template.spec.initContainers", [{"name": "theirs"}]),
        ("spec.template.spec.volumes.[name:cacerts]", {"name": "cacerts", "emptyDir": {}}),
    ],
)
def test_another_value_at_the_same_path_is_a_conflict(path: str, value: Any) -> None:
    given = k8s(overlays=[overlay({"path": path, "value": value})])

    with pytest.raises(InvalidInputError, match=r"^resource: overlay spec\.template\.spec\."):
        with_agent(given, agent(), DIGEST)
    # It is theirs, so it is not taken away either.
    assert without_agent(given) == given


def test_another_value_of_a_variable_is_a_conflict() -> None:
    given = k8s(env=[{"name": "ISTIO_MULTIROOT_MESH", "value": "false"}])

    with pytest.raises(InvalidInputError, match=r"^resource: env ISTIO_MULTIROOT_MESH: 'false'"):
        with_agent(given, agent(), DIGEST)
    assert without_agent(given) == given


def test_the_same_path_of_another_object_is_none() -> None:
    patch = {"path": "spec.template.spec.containers[1]", "value": {"name": "theirs"}}
    given = k8s(overlays=[overlay(patch, name="other")])

    merged = with_agent(given, agent(), DIGEST)

    assert merged["spec"]["components"]["pilot"]["k8s"]["overlays"][0] == overlay(
        patch, name="other"
    )


def test_installations_are_chosen_by_their_revision() -> None:
    given = manager(EAST, NORTH)

    merged = with_agent(given, agent(), DIGEST, "1-20")

    east, north = merged["spec"]["installations"]
    assert north == NORTH
    assert east["clusters"] == EAST["clusters"]
    [only] = east["istioOperatorSpec"]["components"]["pilot"]["k8s"]["overlays"]
    assert only["name"] == "istiod-1-20"
    assert without_agent(merged, "1-20") == given
    both = with_agent(merged, agent(), DIGEST, "1-19")
    assert without_agent(without_agent(both, "1-19"), "1-20") == given


def test_what_an_alias_shares_is_taken_apart() -> None:
    shared = yaml.safe_load("{east: &spec {profile: minimal}, north: *spec}")
    east = {**EAST, "istioOperatorSpec": shared["east"]}
    north = {**NORTH, "istioOperatorSpec": shared["north"]}

    merged = with_agent(manager(east, north), agent(), DIGEST, "1-20")

    assert merged["spec"]["installations"][1] == north
    assert "*id" not in yaml.safe_dump(merged)


def test_several_installations_of_one_revision() -> None:
    given = manager(EAST, {**EAST, "clusters": [{"name": "south"}]})

    merged = with_agent(given, agent(), DIGEST, "1-20")

    specs = [each["istioOperatorSpec"] for each in merged["spec"]["installations"]]
    assert [set(each) - set(EAST["istioOperatorSpec"]) for each in specs] == [{"components"}] * 2
    assert without_agent(merged, "1-20") == given


@pytest.mark.parametrize(
    ("given", "revision", "field"),
    [
        (manager(EAST, NORTH), "default", "istio_revision"),
        (manager(EAST, NORTH), "1-2", "istio_revision"),
        (manager(), "1-20", "istio_revision"),
        (operator({"revision": "1-20"}), "default", "istio_revision"),
        (operator({}), "1-20", "istio_revision"),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "default", "resource"),
        ("kind: IstioOperator", "default", "resource"),
    ],
)
def test_what_has_no_such_istiod_is_refused(given: Any, revision: str, field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        with_agent(given, agent(), DIGEST, revision)
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        without_agent(given, revision)


def test_an_operator_of_a_revision() -> None:
    given = operator({"revision": "1-20"})

    merged = with_agent(given, agent(), DIGEST, "1-20")

    assert merged["spec"]["components"]["pilot"]["k8s"]["overlays"][0]["name"] == "istiod-1-20"
