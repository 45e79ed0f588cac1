"""What `mesh-trust verify` sees of pods: logs, and what istiod shows; on real nodes."""

from collections.abc import Iterator
from typing import Any

import pytest

from lab.lab import Lab
from lab.nodes.images import SHELL_IMAGE
from mesh_trust.agent_containers import AGENT
from tests.operations.command import MeshTrust, Told
from tests.program.program import Program

from .certificate_service import await_istiod
from .conftest import CLUSTERS
from .installed import InstalledVault
from .pods import core, running, until
from .test_mesh import Policy

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"
ISTIODS_LINE = f"2026-11-28T09:00:00.000000Z\terror\tca\tcannot log in with {JWT}"
AGENTS_LINE = '{"level":"error","msg":"PUT pki/root/sign-intermediate: Code: 403"}'
SECONDS = 240.0


@pytest.fixture(scope="module")
def verify(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Verify"]:
    program = Program(lab, tmp_path_factory.mktemp("configuration"))
    program.up()
    try:
        yield Verify(lab, program)
    finally:
        program.destroy()


class Verify:
    """The command, with the token of the Vault that the program has installed."""

    def __init__(self, lab: Lab, program: Program) -> None:
        self._mesh_trust = MeshTrust(program)
        self._token = InstalledVault.of(lab).root_token

    def __call__(self) -> Told:
        environment = {"VAULT_TOKEN": self._token}
        told = self._mesh_trust.run("verify", "--json", environment=environment)
        assert self._token not in told.output + told.errors
        return told


def test_all_is_well_once_istiods_own_key_is_deleted(lab: Lab, verify: Verify) -> None:
    """istiod has made a CA of its own before the program came, and keeps its key."""
    own_keys = {("ca-keys", f"cluster {each}") for each in CLUSTERS}

    def settled() -> Told | None:
        told = verify()
        return told if told.those("failed", "unknown") <= own_keys else None

    told = until(settled, "nothing else is wrong", SECONDS)

    assert told.those("failed", "unknown") == own_keys
    assert told.exit_code == 1
    for cluster in CLUSTERS:
        await_istiod(lab, cluster)
        found = told.of("ca-keys", f"cluster {cluster}")
        assert "istio-system/istio-ca-secret" in found["seen"]
        assert "delete secret -n istio-system istio-ca-secret" in found["fix"]
        core(lab, cluster).delete_namespaced_secret("istio-ca-secret", "istio-system")
    told = verify()
    assert told.those("failed", "unknown") == set()
    assert told.exit_code == 0
    assert "Traceback" not in told.errors
    for cluster in CLUSTERS:
        for check in ("ca-keys", "istiod-ready", "istiod-agent", "istiod-intermediate", "login"):
            assert told.of(check, f"cluster {cluster}")["state"] == "ok"


def test_what_the_agent_is_refused_is_in_its_log(lab: Lab, verify: Verify) -> None:
    refused = "pki_int_west/intermediate/generate/exported: 403"
    policy = Policy(lab, "east")
    path = policy.read()["spec"]["config"]["agentCa"]["vault"]["csrPath"]
    assert not any(refused in each["seen"] for each in verify().findings)
    try:
        policy.change({"agentCa": {"vault": {"csrPath": refused.partition(":")[0]}}})
        policy.await_state("FAILED")

        found = [each for each in verify().findings if refused in each["seen"]]
    finally:
        policy.change({"agentCa": {"vault": {"csrPath": path}}})
        policy.await_state("ACCEPTED")

    assert ("agent-log", "cluster east", "warning") in {
        (each["check"], each["subject"], each["state"]) for each in found
    }
    assert {each["subject"] for each in found} == {"cluster east"}


@pytest.mark.soak
def test_what_istiod_and_its_agent_complain_of_is_shown_without_their_tokens(
    lab: Lab, verify: Verify
) -> None:
    with running(lab, "east", complaining_pod(), "istio-system"):
        until(lambda: is_running(lab), "a pod that complains")
        told = verify()

    istiod = of_the_pod(told, "istiod-log")
    assert istiod["state"] == "warning"
    assert "pod istio-system/complaining has logged 1 errors" in istiod["seen"]
    assert "ca cannot log in with …" in istiod["seen"]
    assert JWT not in told.output
    agent = of_the_pod(told, "agent-log")
    assert agent["state"] == "warning"
    assert "PUT pki/root/sign-intermediate: Code: 403" in agent["seen"]
    assert "complaining" not in told.of("istiod-log", "cluster west")["seen"]
    # It is no server, which hides nothing of the one that is.
    shown = [each for each in told.findings if each["check"] == "istiod-intermediate"]
    assert [each["state"] for each in shown if "complaining" in each["seen"]] == ["unknown"]
    assert [each["state"] for each in shown if "complaining" not in each["seen"]] == ["ok"] * 2


def of_the_pod(told: Told, check: str) -> dict[str, Any]:
    """What `check` has found of the pod that complains."""
    (found,) = (
        each for each in told.findings if each["check"] == check and "/complaining" in each["seen"]
    )
    return found


def complaining_pod() -> dict[str, Any]:
    """One that looks like istiod's."""
    lines = {"discovery": ISTIODS_LINE, AGENT: AGENTS_LINE}
    return {
        "metadata": {
            "name": "complaining",
            "labels": {"app": "istiod", "istio.io/rev": "default"},
        },
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": name,
                    "image": SHELL_IMAGE,
                    "command": ["/bin/sh", "-c", 'printf "%s\\n" "$LINE"; sleep 600'],
                    "env": [{"name": "LINE", "value": line}],
                }
                for name, line in lines.items()
            ],
        },
    }


def is_running(lab: Lab) -> bool:
    pod = core(lab, "east").read_namespaced_pod("complaining", "istio-system")
    return bool(pod.status.phase == "Running")
