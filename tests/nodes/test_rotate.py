"""New intermediates on real nodes, with a real istiod: asked for, awaited, interrupted, gone on."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography import x509

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.operations.command import MeshTrust
from tests.program.program import Program
from tests.program.test_up import exported_root

from .conftest import CLUSTERS
from .installed import InstalledVault
from .mesh import Workload, established, program_in_effect, workloads_of
from .shop import (
    NAMESPACE,
    application,
    make_unwell,
    make_well,
    pods,
    put_budget,
    rolled,
    rolling,
    shop,
    versions,
)

ROTATE = ("rotate", "intermediates")
APPS = ("--restart-apps", "--namespace", NAMESPACE)
ISTIOD = ("istio-system", "istiod")


@pytest.fixture(scope="module")
def program(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program, after an update, when every istiod has its CA."""
    program = program_in_effect(lab, tmp_path_factory.mktemp("configuration"), CLUSTERS)
    yield program
    program.destroy()


@pytest.fixture(scope="module")
def workloads(lab: Lab, program: Program) -> Iterator[Mapping[str, Workload]]:
    assert program.deployed
    with workloads_of(lab, CLUSTERS) as found:
        yield found


def intermediate(workload: Workload) -> x509.Certificate:
    """The CA that signs for workloads of a cluster now, as one of them is given it."""
    certificate: x509.Certificate = established(workload).chain[1]
    return certificate


@contextmanager
def running(program: Program, *arguments: str) -> Iterator[Any]:
    """Runs the command; ended hard where the test has not done so."""
    command = [sys.executable, "-m", "mesh_trust.operations", "--stack", "dev", *arguments]
    with subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env={**MeshTrust(program).environment(), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: Any, wanted: str) -> list[str]:
    """The lines that it prints up to one that has `wanted`."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if wanted in line:
            return lines
    raise AssertionError(f"{wanted!r} was not said:\n{''.join(lines)}")


@pytest.mark.soak
def test_killed_and_gone_on_with_until_all_is_new(
    lab: Lab, program: Program, workloads: Mapping[str, Workload]
) -> None:
    """One story, as each rollout costs seconds: nothing is rolled twice, and all of it once."""
    mesh_trust = MeshTrust(program)
    before = {cluster: intermediate(workloads[cluster]) for cluster in CLUSTERS}
    root = exported_root(program)
    with shop(
        lab,
        "east",
        application("ratings", 1, rolling(1, 0)),
        application("reviews", 2, rolling(0, 1)),
        application("tools", 1, rolling(1, 0), sidecar=False),
    ):
        put_budget(lab, "east", "reviews", available=1)
        counted = counts(lab)

        shows_what_it_would_do(lab, mesh_trust)
        assert counts(lab) == counted

        # Ended hard when the first istiod has just been rolled, and not been seen again.
        with running(program, *ROTATE, *APPS, "--yes") as process:
            begun = read_until(process, f"cluster east: istiod {'/'.join(ISTIOD)} is rolled")
            process.kill()
        name = begun[0].split()[1]

        # Ended by its user when that istiod is done, and an application cannot be rolled.
        [unwell, _] = pods(lab, "east", "reviews")
        make_unwell(lab, "east", unwell)
        with running(program, *ROTATE, *APPS, "--yes") as process:
            again = read_until(process, "allows 0 disruptions, and the rollout of Deployment")
            assert counts(lab)["east", NAMESPACE, "reviews"] == 1
            process.send_signal(signal.SIGINT)
            last = process.stdout.read()
            assert process.wait() == 1
        assert again[0] == f"Rotation {name} of stack dev goes on\n"
        assert "istiod istio-system/istiod: rolled in this rotation" in "".join(again)
        assert "run the same command again: it goes on from here" in last
        assert intermediate(workloads["west"]) == before["west"]

        left = mesh_trust.run(*ROTATE, *APPS, "--dry-run").output
        assert "istiod istio-system/istiod: done in this rotation" in left
        assert "Deployment shop/reviews: to be rolled" in left

        make_well(lab, "east", unwell)
        told = mesh_trust.run(*ROTATE, *APPS, "--yes")
        assert told.exit_code == 0, told.output + told.errors
        assert told.output.endswith(f"Rotation {name} is complete\n")

        once = {each: number + 1 for each, number in counted.items()}
        once["east", NAMESPACE, "tools"] -= 1
        assert counts(lab) == once
        for cluster in CLUSTERS:
            now = intermediate(workloads[cluster])
            assert now.public_key() != before[cluster].public_key()
            now.verify_directly_issued_by(root)
            [said] = [
                line
                for line in told.output.splitlines() + again
                if line.startswith(f"cluster {cluster}: istiod") and "is done" in line
            ]
            assert key_id(now) in said

        program.run("preview", "--expect-no-changes")
        program.up("--expect-no-changes", "--refresh")
        assert counts(lab) == once
        begins_anew(lab, mesh_trust, name)
        plan_is_content(mesh_trust)


def counts(lab: Lab) -> dict[tuple[str, str, str], int]:
    """How often each Deployment was rolled, by cluster, namespace and name."""
    places = [(cluster, *ISTIOD) for cluster in CLUSTERS]
    places += [("east", NAMESPACE, name) for name in ("ratings", "reviews", "tools")]
    return {place: rolled(lab, *place) for place in places}


def key_id(certificate: x509.Certificate) -> str:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return extension.value.digest.hex(":")


def shows_what_it_would_do(lab: Lab, mesh_trust: MeshTrust) -> None:
    before = {cluster: versions(lab, cluster) for cluster in CLUSTERS}

    told = mesh_trust.run(*ROTATE, *APPS, "--dry-run")

    assert told.exit_code == 0, told.output + told.errors
    assert {cluster: versions(lab, cluster) for cluster in CLUSTERS} == before
    lines = [line.strip() for line in told.output.splitlines()]
    assert lines[0].endswith("of stack dev begins")
    assert lines[-1] == "Nothing was written (--dry-run)"
    assert sum("istiod istio-system/istiod: to be rolled; CA key " in each for each in lines) == 2
    assert (
        "Deployment shop/reviews: to be rolled; PodDisruptionBudget reviews (allows 1 disruptions "
        "now)"
    ) in lines
    assert "Deployment shop/ratings: to be rolled; no PodDisruptionBudget" in lines
    assert "left out: Deployment shop/tools: none of its pods has Istio's sidecar" in lines


def begins_anew(lab: Lab, mesh_trust: MeshTrust, name: str) -> None:
    """What is complete does not go on."""
    before = counts(lab)
    told = mesh_trust.run(*ROTATE, "--cluster", "west", "--yes")
    assert told.exit_code == 0, told.output + told.errors
    assert "of stack dev begins" in told.output
    assert name not in told.output
    assert counts(lab) == {**before, ("west", *ISTIOD): before["west", *ISTIOD] + 1}


def plan_is_content(mesh_trust: MeshTrust) -> None:
    told = mesh_trust.run("rotate", "plan", "--json")
    assert told.exit_code == 0, told.output
    assert (told.document["step"], told.document["safe"]) == ("add", True)
    for cluster in CLUSTERS:
        [chain] = [
            each
            for each in told.findings
            if (each["check"], each["subject"]) == ("live-chain", f"cluster {cluster}")
        ]
        assert chain["state"] == "ok"
        assert "below root first" in chain["seen"]


@pytest.mark.soak
def test_a_cluster_that_gets_none_stops_the_rotation(
    lab: Lab, program: Program, workloads: Mapping[str, Workload]
) -> None:
    """istiod goes on with the CA that it has, and the next cluster is not touched."""
    mesh_trust = MeshTrust(program)
    before = intermediate(workloads["east"])
    west = rolled(lab, "west", *ISTIOD)
    vault = InstalledVault.of(lab).client()
    role = "auth/kube-east-mesh-auth/role/gen-int-ca-istio-east-mesh"
    assert vault.read(role) is not None
    vault.delete(role)

    told = mesh_trust.run(*ROTATE, "--yes", "--timeout", "20")

    assert told.exit_code == 1
    [line] = [each for each in told.errors.splitlines() if each.startswith("Error: ")]
    assert "cluster east, istiod istio-system/istiod is not ready after " in line
    assert "1 old" in line
    assert "run the same command again: it goes on from here" in line
    assert "Traceback" not in told.errors
    assert intermediate(workloads["east"]) == before
    assert rolled(lab, "west", *ISTIOD) == west

    program.up("--refresh")
    assert vault.read(role) is not None
    # The init container is tried again by and by.
    told = mesh_trust.run(*ROTATE, "--yes")
    assert told.exit_code == 0, told.output + told.errors
    assert intermediate(workloads["east"]) != before
    assert rolled(lab, "west", *ISTIOD) == west + 1
    assert "is complete" in told.output
