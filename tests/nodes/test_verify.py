"""What `mesh-trust verify` sees of pods: logs, and what istiod shows; on real nodes."""

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from components.agent_containers import AGENT
from lab.lab import Lab
from lab.nodes.images import SHELL_IMAGE
from tests.operations.command import MeshTrust, Told
from tests.operations.healthy import make_healthy
from tests.program.program import Program

from .conftest import CLUSTERS
from .installed import InstalledVault
from .pods import api_client, core, running, until

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
        root = program.outputs()["rootCertificate"]
        for cluster in CLUSTERS:
            if stands_for_istiod(lab, cluster):
                make_healthy(lab, cluster, root)

    def __call__(self) -> Told:
        environment = {"VAULT_TOKEN": self._token}
        told = self._mesh_trust.run("verify", "--json", environment=environment)
        assert self._token not in told.output + told.errors
        return told


def stands_for_istiod(lab: Lab, cluster: str) -> bool:
    """Whether istiod is a container that does nothing."""
    apps: Any = client.AppsV1Api(api_client(lab, cluster))
    found = apps.read_namespaced_deployment("istiod", "istio-system")
    return "does nothing" in (found.metadata.annotations or {}).get("mesh-trust.lab/purpose", "")


def test_all_is_well(lab: Lab, verify: Verify) -> None:
    bad = {("istiod-intermediate", f"cluster {each}") for each in CLUSTERS}
    if not stands_for_istiod(lab, "east"):
        bad = set()

    def settled() -> Told | None:
        told = verify()
        return told if told.those("failed", "unknown") <= bad else None

    told = until(settled, "all is well", SECONDS)

    for cluster in CLUSTERS:
        for check in ("istiod-ready", "istiod-agent", "login"):
            assert told.of(check, f"cluster {cluster}")["state"] == "ok"
    assert told.those("failed", "unknown") == bad


def test_what_istiod_and_its_agent_complain_of_is_shown_without_their_tokens(
    lab: Lab, verify: Verify
) -> None:
    with running(lab, "east", complaining_pod(), "istio-system"):
        until(lambda: is_running(lab), "a pod that complains")
        told = verify()

    istiod = told.of("istiod-log", "cluster east")
    assert istiod["state"] == "warning"
    assert "pod istio-system/complaining has logged 1 errors" in istiod["seen"]
    assert "ca cannot log in with …" in istiod["seen"]
    assert JWT not in told.output
    agent = told.of("agent-log", "cluster east")
    assert agent["state"] == "warning"
    assert "PUT pki/root/sign-intermediate: Code: 403" in agent["seen"]
    assert "complaining" not in told.of("istiod-log", "cluster west")["seen"]


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
