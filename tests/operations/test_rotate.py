"""`mesh-trust rotate` on clusters without nodes: what it refuses, and what the plan goes by."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from lab.lab import Lab
from tests.program.program import Program

from . import cluster_breakages, rotation_breakages
from .command import MeshTrust, Told
from .conftest import CLUSTERS
from .healthy import apps
from .rotation_breakages import a_policy_that_restarts, a_proxy, write_roots
from .test_verify import api_server_hangs

EAST, WEST = "cluster east", "cluster west"
ROTATE = ("rotate", "intermediates")
# Without nodes no istiod runs, which is worth a warning.
WITHOUT_NODES = {("live-chain", EAST), ("live-chain", WEST)}


@pytest.fixture(scope="module", autouse=True)
def root_pem(lab: Lab, program: Program) -> str:
    """An update, and after it what istiod makes of it."""
    if not program.deployed:
        program.up()
    root = str(program.outputs()["rootCertificate"])
    for cluster in CLUSTERS:
        write_roots(lab, cluster, root)
    return root


def errors(told: Told) -> list[str]:
    """What it refuses, a line each."""
    assert told.exit_code == 2, told.output + told.errors
    assert "Traceback" not in told.errors
    lines = told.errors.splitlines()
    [first] = [place for place, line in enumerate(lines) if line.startswith("Error: ")]
    return [lines[first].removeprefix("Error: "), *lines[first + 1 :]]


def test_a_dry_run_says_what_there_is_and_writes_nothing(lab: Lab, mesh_trust: MeshTrust) -> None:
    before = deployments(lab)

    told = mesh_trust.run(*ROTATE, "--restart-apps", "--namespace", "default", "--dry-run")

    assert told.exit_code == 0, told.errors
    lines = told.output.splitlines()
    assert lines[0].endswith("of stack dev begins")
    assert [each for each in lines if each.startswith("cluster")] == [EAST, WEST]
    assert told.output.count("left out: istiod istio-system/istiod: it has no replicas") == 2
    assert lines[-1] == "Nothing was written (--dry-run)"
    assert deployments(lab) == before


def deployments(lab: Lab) -> set[tuple[str, str, str]]:
    """All that there are, in the version that they have."""
    return {
        (cluster, each.metadata.name, each.metadata.resource_version)
        for cluster in CLUSTERS
        for each in apps(lab, cluster).list_deployment_for_all_namespaces().items
    }


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--cluster", "north"],
            "--cluster: 'north' is not valid; name one of stack dev: east, west",
        ),
        (["--namespace", "shop"], "--namespace says what --restart-apps rolls: add that, too"),
        (["--selector", "a=b"], "--selector says what --restart-apps rolls: add that, too"),
        (
            ["--restart-apps"],
            "--restart-apps needs to be told which: add --namespace, --selector or both",
        ),
        (
            ["--restart-apps", "--namespace", "shop", "--namespace", "default"],
            "--namespace: 'shop' is not valid; name one that is there: none of the clusters has it",
        ),
        (
            ["--restart-apps", "--selector", "a==b==c"],
            "--selector: 'a==b==c' is not valid; use labels as kubectl takes them",
        ),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
def test_what_is_asked_for_wrongly_is_refused_in_a_line(
    mesh_trust: MeshTrust, arguments: list[str], line: str
) -> None:
    [said] = errors(mesh_trust.run(*ROTATE, *arguments, "--yes"))
    assert said.startswith(line)


def test_policies_that_restart_pods_are_named_wherever_they_are(
    lab: Lab, mesh_trust: MeshTrust
) -> None:
    with (
        a_policy_that_restarts("mgmt", "default")(lab),
        a_policy_that_restarts("west", "istio-system")(lab),
        a_policy_that_restarts("east", "default", restarts=False)(lab),
    ):
        told = mesh_trust.run(*ROTATE, "--yes")
        accepted = mesh_trust.run(*ROTATE, "--yes", "--accept-auto-restart")

    named = {line for line in told.errors.splitlines() if line.startswith("autoRestartPods is on:")}
    assert named == {
        "autoRestartPods is on: cluster west: RootTrustPolicy istio-system/by-hand",
        "autoRestartPods is on: cluster management: RootTrustPolicy default/by-hand",
    }
    [line] = errors(told)
    assert "on in 2 RootTrustPolicies" in line
    assert "--accept-auto-restart" in line
    assert accepted.exit_code == 0, accepted.errors
    assert named < set(accepted.errors.splitlines())
    assert accepted.output.splitlines()[-1] == "Nothing is left to be rolled"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param(
            rotation_breakages.istiod_is_paused,
            "cluster west: the rollout of istiod istio-system/istiod is paused; `kubectl --context "
            "west -n istio-system rollout resume deployment/istiod`",
            id="paused",
        ),
        pytest.param(
            cluster_breakages.istiod_does_not_start,
            "cluster west: istiod istio-system/istiod has 0 of 1 pods available",
            id="unwell",
        ),
        pytest.param(
            lambda lab: api_server_hangs(lab, "west"),
            "cluster west: its API server does not answer",
            id="silent",
        ),
    ],
)
def test_a_cluster_that_cannot_be_rotated_is_said_before_anything_is_written(
    lab: Lab,
    mesh_trust: MeshTrust,
    broken: Callable[[Lab], AbstractContextManager[None]],
    words: str,
) -> None:
    with broken(lab):
        told = mesh_trust.run(*ROTATE, "--yes")
        other = mesh_trust.run(*ROTATE, "--cluster", "east", "--yes")

    [line] = errors(told)
    assert line.startswith(words)
    assert other.exit_code == 0, other.errors


def test_nobody_is_asked_where_nothing_is_left(mesh_trust: MeshTrust) -> None:
    told = mesh_trust.run(*ROTATE)
    assert told.exit_code == 0
    assert told.output.splitlines()[-1] == "Nothing is left to be rolled"


@dataclass(frozen=True)
class Seen:
    """What is broken, and the finding of the plan that it has to lead to."""

    broken: Callable[[Lab], AbstractContextManager[None]]
    check: str
    subject: str
    state: str
    words: str


PLAN = [
    Seen(
        rotation_breakages.a_namespace_lacks_the_root,
        "trusted-roots",
        WEST,
        "failed",
        "in 1 namespaces (default)",
    ),
    Seen(
        rotation_breakages.a_namespace_has_a_further_root,
        "trusted-roots",
        EAST,
        "warning",
        "a root that the stack does not have",
    ),
    Seen(
        rotation_breakages.no_namespace_has_a_root,
        "trusted-roots",
        WEST,
        "failed",
        "no namespace has a ConfigMap",
    ),
    Seen(
        a_proxy("plain", "east"),
        "proxies",
        EAST,
        "failed",
        "1 of 1 pods with Istio's sidecar lack PROXY_CONFIG_XDS_AGENT=true",
    ),
    Seen(
        a_proxy("takes", "east", PROXY_CONFIG_XDS_AGENT="true"),
        "proxies",
        EAST,
        "ok",
        "all 1 pods with Istio's sidecar take several roots",
    ),
]


def test_all_is_well_for_a_further_root(mesh_trust: MeshTrust) -> None:
    told = mesh_trust.run("rotate", "plan", "--json")

    assert told.exit_code == 0, told.output + told.errors
    assert told.those("warning", "failed", "unknown") == WITHOUT_NODES
    document = told.document
    assert (document["step"], document["generation"], document["safe"]) == ("add", None, True)
    assert "rootGenerations" in document["how"]


@pytest.mark.parametrize("row", PLAN, ids=lambda row: f"{row.check}-{row.state}")
def test_what_is_in_the_way_of_the_next_step_is_named(
    lab: Lab, mesh_trust: MeshTrust, row: Seen
) -> None:
    with row.broken(lab):
        told = mesh_trust.run("rotate", "plan", "--json")

    found = told.of(row.check, row.subject)
    assert found["state"] == row.state
    assert row.words in found["seen"]
    is_bad = row.state == "failed"
    place = {(row.check, row.subject)}
    assert told.those("failed", "unknown") - _behind(told) == (place if is_bad else set())
    assert told.exit_code == int(is_bad)
    assert told.document["safe"] is not is_bad


def _behind(told: Told) -> set[tuple[str, str]]:
    """What was not looked at because of another."""
    return {
        (each["check"], each["subject"])
        for each in told.findings
        if each["seen"].startswith("not looked at, because of")
    }


def test_a_person_reads_what_comes_next(lab: Lab, mesh_trust: MeshTrust) -> None:
    well = mesh_trust.run("rotate", "plan")
    with rotation_breakages.no_namespace_has_a_root(lab):
        broken = mesh_trust.run("rotate", "plan")

    assert well.output.splitlines()[-1].startswith(
        "The next step is to add a generation beside first. It is safe: add a name to rootGene"
    )
    assert broken.output.splitlines()[-1] == (
        "The next step is to add a generation beside first. It is not safe yet: see what failed."
    )
