"""What IstiodAgent registers, refuses and renders; that it works is proved on real nodes."""

import copy
from typing import Any

import pulumi
import pytest

from mesh_trust import InvalidInputError, IstiodAgent
from mesh_trust.agent_containers import AGENT, AGENT_INIT, TRUST_ANNOTATION, trust_digest
from mesh_trust.field_conflicts import conflicts
from mesh_trust.istiod_patch import MemoryVolume, memory_volume, refuse_conflicts

from .conftest import Recorder, run

ARGS: dict[str, Any] = {"version": "2.5.13", "trust": {"root": "a root", "role": "r"}}
AGENT_PATCH = "kubernetes:apps/v1:DeploymentPatch"

LIVE: dict[str, Any] = {
    "metadata": {
        "uid": "the-uid",
        "name": "istiod",
        "namespace": "istio-system",
        "managedFields": [
            {
                "manager": "helm",
                "operation": "Update",
                "fieldsV1": {
                    "f:spec": {
                        "f:template": {
                            "f:spec": {
                                "f:containers": {
                                    'k:{"name":"discovery"}': {
                                        ".": {},
                                        "f:name": {},
                                        "f:image": {},
                                        "f:env": {
                                            'k:{"name":"REVISION"}': {".": {}, "f:value": {}}
                                        },
                                    }
                                }
                            }
                        }
                    }
                },
            },
            {"manager": "kube", "operation": "Update", "subresource": "status"},
        ],
    },
    "spec": {
        "selector": {"matchLabels": {"app": "istiod"}},
        "template": {
            "metadata": {"labels": {"app": "istiod"}},
            "spec": {
                "containers": [
                    {
                        "name": "discovery",
                        "image": "pilot:1",
                        "env": [{"name": "REVISION", "value": "default"}],
                        "volumeMounts": [
                            {"name": "token", "mountPath": "/token", "readOnly": True},
                            {"name": "local-certs", "mountPath": "/var/run/secrets/istio-dns"},
                        ],
                    }
                ],
                "volumes": [
                    {"name": "token", "emptyDir": {"medium": "Memory"}},
                    {"name": "local-certs", "emptyDir": {"medium": "Memory"}},
                ],
            },
        },
    },
}


def live(*managed: dict[str, Any], **discovery: Any) -> dict[str, Any]:
    changed = copy.deepcopy(LIVE)
    changed["spec"]["template"]["spec"]["containers"][0].update(discovery)
    changed["metadata"]["managedFields"].extend(managed)
    return changed


@pytest.fixture(autouse=True)
def istiod_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here asks a server."""
    monkeypatch.setattr("mesh_trust.istiod_agent._deployment", lambda *_: LIVE)


def registered(recorder: Recorder, **args: Any) -> dict[str, dict[str, Any]]:
    def program() -> pulumi.Output[Any]:
        agent = IstiodAgent("agent", {**ARGS, **args})  # type: ignore[typeddict-item]
        return pulumi.Output.all(agent.trust_digest, agent.manifest)

    run(program)
    return {each.typ: each.inputs for each in recorder.registered}


def test_the_patch(recorder: Recorder) -> None:
    patch = registered(recorder)[AGENT_PATCH]

    assert patch["metadata"] == {
        "name": "istiod",
        "namespace": "istio-system",
        "annotations": {"pulumi.com/patchFieldManager": "mesh-trust-istiod-agent"},
    }
    template = patch["spec"]["template"]
    assert template["metadata"] == {"annotations": {TRUST_ANNOTATION: trust_digest(ARGS["trust"])}}
    discovery, sidecar = template["spec"]["containers"]
    [init] = template["spec"]["initContainers"]
    assert set(template["spec"]) == {"containers", "initContainers"}
    assert discovery == {
        "name": "discovery",
        "envFrom": [{"configMapRef": {"name": "istiod-agent-environment"}}],
    }
    assert (init["name"], init["args"]) == (AGENT_INIT, ["init-container"])
    assert (sidecar["name"], sidecar["args"]) == (AGENT, ["sidecar"])
    for container in (init, sidecar):
        assert container["image"] == "gcr.io/gloo-mesh/gloo-mesh-istiod-agent:2.5.13"
        assert container["volumeMounts"] == [
            {"name": "local-certs", "mountPath": "/etc/cacerts", "subPath": AGENT}
        ]
        assert [each["name"] for each in container["env"]] == [
            "PILOT_CERT_PROVIDER",
            "POD_NAME",
            "POD_NAMESPACE",
            "SERVICE_ACCOUNT",
        ]


def test_a_revision_is_another_deployment(recorder: Recorder) -> None:
    found = registered(recorder, istio_revision="1-20", istio_namespace="mesh")

    assert found[AGENT_PATCH]["metadata"]["name"] == "istiod-1-20"
    assert found[AGENT_PATCH]["metadata"]["namespace"] == "mesh"
    assert found["kubernetes:core/v1:ConfigMap"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istiod-1-20-agent-environment", "namespace": "mesh"},
        "data": {
            "ROOT_CA_DIR": f"/var/run/secrets/istio-dns/{AGENT}",
            "ISTIO_MULTIROOT_MESH": "true",
        },
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"installation": "helm"}, "installation"),
        ({"version": "v2.5.13"}, "version"),
        ({"version": "latest"}, "version"),
        ({"version": ""}, "version"),
        ({"image": "agent"}, "image"),
        ({"image": "gcr.io/agent:2.5.13"}, "image"),
        ({"image": "gcr.io/agent@sha256:00"}, "image"),
        ({"image_pull_policy": "Sometimes"}, "image_pull_policy"),
        ({"resources": {"request": {"cpu": "1"}}}, "resources"),
        ({"resources": {"requests": {"gpu": "1"}}}, "resources.requests"),
        ({"resources": {"limits": {"memory": "much"}}}, "resources.limits.memory"),
        ({"resources": {"limits": {"memory": 1}}}, "resources.limits.memory"),
        ({"istio_revision": "1.20"}, "istio_revision"),
        ({"istio_namespace": "*"}, "istio_namespace"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"resource": {}}, "resource"),
        ({"delivery": "apply"}, "delivery"),
        ({"installation": "istio-operator"}, "resource"),
        ({"trust": {}}, "trust"),
        ({"trust": {"root": 1}}, "trust.root"),
    ],
)
def test_refuses(recorder: Recorder, change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        IstiodAgent("agent", {**ARGS, **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []


@pytest.mark.parametrize(
    "change",
    [
        {"version": "2.5.13-fips"},
        {"image": "registry:5000/mirror/gloo_mesh/agent"},
        {"image_pull_policy": "Always"},
        {"resources": {"requests": {"cpu": "0.5", "memory": "1Gi"}}},
        {"resources": {}},
        {"trust": {"root": pulumi.Output.from_input("late")}},
    ],
)
def test_takes(recorder: Recorder, change: dict[str, Any]) -> None:
    assert AGENT_PATCH in registered(recorder, **change)


def test_a_late_trust_that_is_none_ends_the_program(recorder: Recorder) -> None:
    with pytest.raises(pulumi.RunError, match=r"^trust\.root: "):
        registered(recorder, trust={"root": pulumi.Output.from_input(None)})


def test_a_digest_is_of_the_content_alone() -> None:
    assert trust_digest({"a": "1", "b": "2"}) == trust_digest({"b": "2", "a": "1"})
    # Of '{"a":"1"}': to be the same for ever, as another one rolls every istiod.
    assert trust_digest({"a": "1"}) == (
        "9afeb0f2b203f254312ec8ded441d0318b7c34c57f8695ede42d2215a30c0960"
    )
    others = [{"a": "12"}, {"a1": ""}, {"a": "1", "b": ""}, {"b": "1"}]
    assert len({trust_digest(each) for each in [{"a": "1"}, *others]}) == 5


def test_istiods_volume_in_memory_is_found() -> None:
    assert memory_volume(LIVE) == MemoryVolume("local-certs", "/var/run/secrets/istio-dns")
    with pytest.raises(pulumi.RunError, match="istiod has no volume in memory"):
        memory_volume(live(volumeMounts=[{"name": "token", "mountPath": "/t", "readOnly": True}]))
    with pytest.raises(pulumi.RunError, match="has no container discovery, but pilot"):
        memory_volume(live(name="pilot"))


ENVIRONMENT = {"ROOT_CA_DIR": "/ours", "ISTIO_MULTIROOT_MESH": "true"}


@pytest.mark.parametrize(
    "env",
    [
        None,
        [{"name": "REVISION", "value": "x"}],
        [{"name": "ROOT_CA_DIR", "value": "/ours"}],
        [{"name": "ISTIO_MULTIROOT_MESH", "value": "true"}],
    ],
)
def test_what_does_not_contradict_passes(env: Any) -> None:
    refuse_conflicts(live(env=env), {}, ENVIRONMENT)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ({"name": "ROOT_CA_DIR", "value": "/theirs"}, "ROOT_CA_DIR of container discovery is '/th"),
        ({"name": "ROOT_CA_DIR", "valueFrom": {}}, "is 'a reference', by nobody known"),
        ({"name": "ISTIO_MULTIROOT_MESH", "value": "false"}, "MESH of container discovery is 'f"),
    ],
)
def test_what_counts_for_more_is_a_conflict(variable: Any, said: str) -> None:
    with pytest.raises(pulumi.RunError, match=said):
        refuse_conflicts(live(env=[variable]), {}, ENVIRONMENT)


def _image(name: str) -> dict[str, Any]:
    containers = [{"name": "discovery", "image": name}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def test_others_fields_are_conflicts_where_they_differ() -> None:
    [found] = conflicts(LIVE, _image("pilot:2"), "ours")

    assert str(found) == ("spec.template.spec.containers[discovery].image is 'pilot:1', by helm")
    assert conflicts(LIVE, _image("pilot:1"), "ours") == []
    assert conflicts(LIVE, _image("pilot:2"), "helm") == []
    unowned: Any = {"spec": {"template": {"spec": {"hostNetwork": True}}}}
    assert conflicts(LIVE, unowned, "ours") == []
