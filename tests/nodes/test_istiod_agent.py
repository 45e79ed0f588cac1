"""The agent beside an istiod on a real node: put there, kept through upgrades, and taken off."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from kubernetes import client

from lab.lab import Lab
from lab.toolchain import Toolchain
from mesh_trust.agent_containers import AGENT, AGENT_INIT, TRUST_ANNOTATION, trust_digest
from mesh_trust.istiod_patch import FIELD_MANAGER
from tests.agent_program import agent_program
from tests.existing.conftest import OwnProgram

from .istiod import CLUSTER, NAMESPACE, Istiod, is_ready, names

AGENTS = ["discovery", AGENT]
TRUST = {"root": "the first root", "address": "https://vault:8200"}


@pytest.fixture(scope="module")
def own(lab: Lab, toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> OwnProgram:
    folder = tmp_path_factory.mktemp("own")
    return agent_program(lab.directory.kubeconfig, CLUSTER, toolchain, folder)


@pytest.fixture
def istiod(lab: Lab, toolchain: Toolchain, own: OwnProgram) -> Iterator[Istiod]:
    """An istiod that Helm has installed, and a stack that has nothing yet."""
    istiod = Istiod(lab, toolchain["helm"].path)
    istiod.release()
    istiod.rolled_out()
    own.settings = {"istio_revision": istiod.revision}
    yield istiod
    own.run("destroy", "--yes", "--skip-preview")
    istiod.uninstall()


def refused(own: OwnProgram, *arguments: str) -> str:
    """The line by which a command that has to fail says why."""
    exit_code, output = own.attempt(*arguments)
    assert exit_code != 0, output
    assert "Traceback" not in output
    return output


def pod_of(istiod: Istiod) -> str:
    name: str = istiod.rolled_out().metadata.name
    return name


def nothing_changes(own: OwnProgram, *arguments: str) -> None:
    own.run("up", "--yes", "--skip-preview", "--expect-no-changes", *arguments)


def test_the_agent_from_its_coming_to_its_going(own: OwnProgram, istiod: Istiod) -> None:
    """One story, as each step costs a rollout."""
    untouched = replace(istiod, revision="untouched")
    untouched.release(replicas=0)
    before = pod_of(istiod)
    own.up()

    # Awaited: the pod is there by now, and ready.
    pod = istiod.rolled_out()
    assert pod.metadata.name != before
    assert names([each.to_dict() for each in pod.spec.containers]) == AGENTS
    assert names([each.to_dict() for each in pod.spec.init_containers]) == [AGENT_INIT]
    assert pod.metadata.annotations[TRUST_ANNOTATION] == trust_digest(TRUST)
    one_folder_in_memory(istiod, pod)

    nothing_changes(own)
    nothing_changes(own, "--refresh")
    own.settings["trust"] = dict(reversed(TRUST.items()))
    own.settings["timeout_seconds"] = 200
    nothing_changes(own)
    assert pod_of(istiod) == pod.metadata.name

    own.settings["trust"] = {**TRUST, "root": "another root"}
    own.up()
    rolled = istiod.rolled_out()
    assert rolled.metadata.name != pod.metadata.name
    assert revision(istiod) == 3
    nothing_changes(own)

    upgraded_by_helm(own, istiod)
    untouched.release(replicas=0, version="2", extraVariable=False)
    applied_by_others(own, istiod)

    own.run("destroy", "--yes", "--skip-preview")
    assert names([each.to_dict() for each in istiod.rolled_out().spec.containers]) == ["discovery"]
    as_without_us(istiod, untouched)
    untouched.uninstall()


def one_folder_in_memory(istiod: Istiod, pod: Any) -> None:
    folder = istiod.execute("discovery", "echo $ROOT_CA_DIR")
    assert istiod.execute("discovery", "echo $ISTIO_MULTIROOT_MESH") == "true"
    assert istiod.execute(AGENT, "cat /etc/cacerts/istiod-agent-was-here") == pod.metadata.name
    istiod.execute(AGENT, "echo a key > /etc/cacerts/ca-key.pem")
    assert istiod.execute("discovery", f"cat {folder}/ca-key.pem") == "a key"
    istiod.execute("discovery", f"echo a root > {folder}/root-cert.pem")
    assert istiod.execute(AGENT, "cat /etc/cacerts/root-cert.pem") == "a root"
    for container, place in ((AGENT, "/etc/cacerts"), ("discovery", folder)):
        assert istiod.execute(container, f"stat -f -c %T {place}") == "tmpfs"
    # istiod's own keys, in the volume that it is a part of, are not shown to the agent.
    istiod.execute("discovery", "echo theirs > /var/run/secrets/istio-dns/key.pem")
    assert "key.pem" not in istiod.execute(AGENT, "ls /etc/cacerts").split()
    assert istiod.execute(AGENT, "echo $POD_NAMESPACE $SERVICE_ACCOUNT $PILOT_CERT_PROVIDER") == (
        f"{NAMESPACE} istiod istiod"
    )


def upgraded_by_helm(own: OwnProgram, istiod: Istiod) -> None:
    istiod.release(version="2", extraVariable=False)
    pod = istiod.rolled_out()
    assert names([each.to_dict() for each in pod.spec.containers]) == AGENTS
    has_version(istiod, "2")
    assert "PILOT_TRACE_SAMPLING" not in names(istiod.container("discovery")["env"])
    nothing_changes(own, "--refresh")
    assert pod_of(istiod) == pod.metadata.name


def applied_by_others(own: OwnProgram, istiod: Istiod) -> None:
    """By one who applies on the server, and by one who merges as kubectl does, back to Helm's."""
    manifest = istiod.manifest(version="3", extraVariable=False)
    istiod.patch(manifest, "application/apply-patch+yaml", field_manager="their-gitops", force=True)
    assert names([each.to_dict() for each in istiod.rolled_out().spec.containers]) == AGENTS
    has_version(istiod, "3")

    back = istiod.manifest(version="2", extraVariable=False)
    [container] = back["spec"]["template"]["spec"]["containers"]
    merge(istiod, {"containers": [{key: container[key] for key in ("name", "args", "env")}]})
    assert names([each.to_dict() for each in istiod.rolled_out().spec.containers]) == AGENTS
    has_version(istiod, "2")
    nothing_changes(own, "--refresh")


def merge(istiod: Istiod, pod: Mapping[str, Any]) -> None:
    """Changes istiod's pods as kubectl does."""
    istiod.patch(
        {"spec": {"template": {"spec": pod}}},
        "application/strategic-merge-patch+json",
        field_manager="somebody",
    )


def has_version(istiod: Istiod, version: str) -> None:
    container = istiod.container("discovery")
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert (container["args"][-1], variables["VERSION"]) == (f"--version={version}", version)


def as_without_us(istiod: Istiod, untouched: Istiod) -> None:
    live, expected = istiod.live(), untouched.live()
    assert FIELD_MANAGER not in {each["manager"] for each in live["metadata"]["managedFields"]}
    live["spec"]["replicas"] = expected["spec"]["replicas"]
    text = json.dumps(live["spec"], sort_keys=True).replace(istiod.revision, untouched.revision)
    assert json.loads(text) == expected["spec"]
    ours = [key for key in live["metadata"].get("annotations", {}) if "pulumi" in key]
    assert ours == []


def revision(istiod: Istiod) -> int:
    """How often istiod's pods were made of another template."""
    return int(istiod.live()["metadata"]["annotations"]["deployment.kubernetes.io/revision"])


@pytest.mark.soak
def test_what_others_have_is_not_taken(own: OwnProgram, istiod: Istiod) -> None:
    """Although the provider would take it: the stack's has enable_patch_force."""
    theirs: Any = {"name": "discovery", "env": [{"name": "ROOT_CA_DIR", "value": "/theirs"}]}
    merge(istiod, {"containers": [theirs]})
    before = istiod.live()["spec"]

    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        output = refused(own, *command)
        assert (
            f"Deployment {NAMESPACE}/{istiod.name} has what istiod's agent would change: "
            "ROOT_CA_DIR of container discovery is '/theirs', by somebody; take it out there"
        ) in output

    assert istiod.live()["spec"] == before
    assert own.urns().keys() & {"agent-patch", "agent-environment"} == set()

    merge(
        istiod, {"containers": [{**theirs, "env": [{"name": "ROOT_CA_DIR", "$patch": "delete"}]}]}
    )
    agent = {"name": AGENT, "image": "mesh-trust.lab/shell:1", "command": ["sleep", "9999"]}
    merge(istiod, {"containers": [agent]})
    output = refused(own, "up", "--yes", "--skip-preview")
    assert (
        f"spec.template.spec.containers[{AGENT}].image is 'mesh-trust.lab/shell:1', by somebody"
    ) in output


def test_a_deployment_that_is_not_there(own: OwnProgram, istiod: Istiod) -> None:
    own.settings["istio_revision"] = "nowhere"

    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        output = refused(own, *command)
        assert f"there is no Deployment {NAMESPACE}/istiod-nowhere" in output, output
    with pytest.raises(client.exceptions.ApiException):
        replace(istiod, revision="nowhere").live()


@pytest.mark.soak
def test_an_image_that_is_not_to_be_had(own: OwnProgram, istiod: Istiod) -> None:
    """istiod goes on as it was, and a corrected version is taken."""
    before = pod_of(istiod)
    own.settings |= {"version": "none", "timeout_seconds": 15, "image_pull_policy": "Never"}

    output = refused(own, "up", "--yes", "--skip-preview")

    assert f"'{istiod.name}' timed out waiting to be Ready" in output
    # The provider looks no further than which container it is that does not start.
    assert f"containers with incomplete status: [{AGENT_INIT}]" in output
    assert before in [each.metadata.name for each in istiod.pods() if is_ready(each)]
    own.settings |= {"version": "1", "timeout_seconds": 60}
    own.up()
    assert names([each.to_dict() for each in istiod.rolled_out().spec.containers]) == AGENTS
