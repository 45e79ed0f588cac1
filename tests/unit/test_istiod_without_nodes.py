"""What a process on the host takes from istiod's Deployment."""

import copy
from pathlib import PurePosixPath
from typing import Any

import pytest

from lab.istiods.pod import Pod, config_maps_of
from mesh_trust.agent_containers import TRUST_ANNOTATION, checked_agent
from mesh_trust.istiod_patch import MemoryVolume, agent_patch, istiod_environment

ENVIRONMENT = "istiod-agent-environment"
VOLUME = MemoryVolume("local-certs", "/var/run/secrets/istio-dns")
POD = {"fieldRef": {"fieldPath": "metadata.name"}}


def deployment() -> dict[str, Any]:
    """As Istio's chart has it, in what matters."""
    istiod = {
        "name": "discovery",
        "args": ["discovery", "--domain", "cluster.local"],
        "env": [
            {"name": "CLUSTER_ID", "value": "east"},
            {"name": "PLATFORM"},
            {"name": "POD_NAME", "valueFrom": POD},
        ],
        "volumeMounts": [
            {"name": "local-certs", "mountPath": VOLUME.mount_path},
            {"name": "cacerts", "mountPath": "/etc/cacerts"},
        ],
    }
    template = {"metadata": {}, "spec": {"containers": [istiod]}}
    return {"metadata": {"name": "istiod"}, "spec": {"template": template}}


def with_agent(digest: str = "a" * 64) -> dict[str, Any]:
    """The same after the program's patch."""
    agent = checked_agent("mesh-trust.lab/istiod-agent", "1", "Never", {})
    patch = agent_patch(agent, VOLUME, ENVIRONMENT, digest)["template"]
    found = deployment()
    template = found["spec"]["template"]
    template["metadata"] = patch["metadata"]
    istiod, sidecar = patch["spec"]["containers"]
    template["spec"]["containers"][0] |= istiod
    template["spec"]["containers"].append(sidecar)
    template["spec"]["initContainers"] = patch["spec"]["initContainers"]
    return found


def test_before_the_program_istiod_is_alone() -> None:
    pod = Pod.of(deployment(), {})

    assert not pod.has_agent
    assert pod.arguments == ("discovery", "--domain", "cluster.local")
    assert pod.environment == {
        "CLUSTER_ID": "east",
        "PLATFORM": "",
        "POD_NAME": pod.name,
        "POD_NAMESPACE": "istio-system",
        "SERVICE_ACCOUNT": "istiod",
    }
    assert config_maps_of(deployment()) == []


def test_after_it_the_agent_is_beside_it_and_hands_it_its_ca() -> None:
    assert config_maps_of(with_agent()) == [ENVIRONMENT]
    pod = Pod.of(with_agent(), {ENVIRONMENT: istiod_environment(VOLUME)})

    assert pod.has_agent
    assert pod.shared == PurePosixPath(pod.environment["ROOT_CA_DIR"])
    assert pod.environment["ISTIO_MULTIROOT_MESH"] == "true"
    assert pod.environment["CLUSTER_ID"] == "east"


def test_what_the_container_says_itself_counts_for_more() -> None:
    pod = Pod.of(with_agent(), {ENVIRONMENT: {"CLUSTER_ID": "west"}})

    assert pod.environment["CLUSTER_ID"] == "east"


def test_another_trust_is_another_pod_and_the_same_is_the_same() -> None:
    maps = {ENVIRONMENT: istiod_environment(VOLUME)}
    first, again, other = (Pod.of(with_agent(each * 64), maps) for each in "aab")

    assert first == again
    assert first.name != other.name
    assert with_agent()["spec"]["template"]["metadata"]["annotations"] == {
        TRUST_ANNOTATION: "a" * 64
    }


def test_its_number_of_replicas_makes_no_other_pod() -> None:
    scaled = copy.deepcopy(deployment())
    scaled["spec"]["replicas"] = 0

    assert Pod.of(scaled, {}) == Pod.of(deployment(), {})


def test_a_deployment_of_something_else_is_none_of_istiod() -> None:
    found = deployment()
    found["spec"]["template"]["spec"]["containers"][0]["name"] = "other"

    with pytest.raises(KeyError, match="discovery"):
        Pod.of(found, {})
