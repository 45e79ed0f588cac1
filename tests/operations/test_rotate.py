"""`mesh-trust rotate` on clusters without nodes: what it refuses, and what the plan goes by."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from cryptography import x509

from lab.lab import Lab
from tests.certificates import Recipe, make
from tests.program.handshake import handshake
from tests.program.inventory import vault_client
from tests.program.program import Program

from . import cluster_breakages, rotation_breakages
from .cluster_breakages import in_place_of_root
from .command import MeshTrust, Told
from .conftest import CLUSTERS
from .healthy import accept, apps, core
from .put_back import put_back
from .rotation_breakages import a_policy_that_restarts, a_proxy, passive_roots, write_roots
from .test_verify import api_server_hangs
from .told_roots import told_roots

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
        (["--new", "--go-on"], "--new and --go-on are the opposite of each other: say one of them"),
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
    assert named <= set(accepted.errors.splitlines())
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
            "cluster west: istiod istio-system/istiod has to be well before it is rolled: 0 of",
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
        "The next step is to add a generation beside first. It is safe: list first and a furth"
    )
    assert broken.output.splitlines()[-1] == (
        "The next step is to add a generation beside first. It is not safe yet: see what failed."
    )


# Made after the stack's own, which is made in the test.
NEXT = make(Recipe(common_name="next", starts=1)).certificate_pem


@contextmanager
def two_roots(lab: Lab, program: Program, root_pem: str, signing: str) -> Iterator[None]:
    """The stack has a generation more, and the clusters trust it as well."""
    roots = [(name, pem, name == signing) for name, pem in (("first", root_pem), ("next", NEXT))]
    with ExitStack() as stack:
        for cluster in CLUSTERS:
            write_roots(lab, cluster, root_pem, NEXT)
            stack.callback(write_roots, lab, cluster, root_pem)
            stack.enter_context(passive_roots(lab, cluster, root_pem, NEXT))
        stack.enter_context(told_roots(program, *roots))
        yield


def test_the_switch_waits_for_all_who_do_not_trust_the_next_root(
    lab: Lab, program: Program, mesh_trust: MeshTrust, root_pem: str
) -> None:
    with two_roots(lab, program, root_pem, "first"):
        well = mesh_trust.run("rotate", "plan", "--json")
        with in_place_of_root(lab, "west", "default", lambda _: root_pem):
            lacking = mesh_trust.run("rotate", "plan", "--json")
        with only_its_own_root(lab, "east", root_pem):
            unsaid = mesh_trust.run("rotate", "plan", "--json")
        judged = {}
        for state, behind in (("ACCEPTED", 1), ("PENDING", 0), ("INVALID", 0), ("WARNING", 0)):
            accept(lab, "east", state, behind)
            judged[state] = mesh_trust.run("rotate", "plan", "--json").of("policy-roots", EAST)

    assert (well.exit_code, well.document["step"]) == (0, "switch"), well.output
    assert well.document["generation"] == "next"
    assert well.document["how"].startswith("set rootSigning to next")
    assert well.those("ok") >= {("policy-roots", EAST), ("trusted-roots", WEST)}
    assert lacking.exit_code == 1
    seen = lacking.of("trusted-roots", WEST)["seen"]
    assert "lacks root next (SHA-256" in seen
    assert "in 1 namespaces (default)" in seen
    assert {subject for _, subject in lacking.those("failed", "unknown")} == {WEST}
    assert unsaid.those("failed", "unknown") == {("policy-roots", EAST)}
    assert "RootTrustPolicy gloo-mesh/east lacks next" in unsaid.of("policy-roots", EAST)["seen"]
    assert {state: each["state"] for state, each in judged.items()} == {
        "ACCEPTED": "failed",
        "PENDING": "failed",
        "INVALID": "failed",
        "WARNING": "warning",
    }
    assert "RootTrustPolicy gloo-mesh/east: Gloo has looked at" in judged["ACCEPTED"]["seen"]


@put_back
def only_its_own_root(lab: Lab, cluster: str, root_pem: str) -> Iterator[None]:
    """The Secret of the next root holds another one."""
    api = core(lab, cluster)
    for pem in (root_pem, NEXT):
        api.patch_namespaced_secret("root-1", "gloo-mesh", {"stringData": {"root-cert.pem": pem}})
        if pem == root_pem:
            yield


def test_retiring_tells_what_vault_still_has_below_the_old_root(
    lab: Lab, program: Program, mesh_trust: MeshTrust, root_pem: str
) -> None:
    vault = vault_client(lab)
    with two_roots(lab, program, root_pem, "next"):
        serial = serial_of(handshake(lab, "east").certificate)
        left = mesh_trust.run("rotate", "plan", "--json")
        refused = mesh_trust.run("rotate", "plan", "--json", environment={"VAULT_TOKEN": "none"})
        for each in vault.list("pki/certs")["data"]["keys"]:
            if each != serial_of(x509.load_pem_x509_certificate(root_pem.encode())):
                vault.write("pki/revoke", serial_number=each)
        with a_proxy("any", "east")(lab):
            revoked = mesh_trust.run("rotate", "plan", "--json")

    assert (left.exit_code, left.document["step"]) == (0, "retire"), left.output
    assert left.document["generation"] == "first"
    found = left.of("leftover-certificates", "Vault")
    assert found["state"] == "warning"
    assert serial in found["seen"]
    how = left.document["how"]
    assert serial in [each["serial"] for each in left.document["leftovers"]]
    assert {each["mount"] for each in left.document["leftovers"]} == {"pki"}
    assert how.startswith("revoke what Vault has left (see leftover-certificates), then take first")
    assert "set rootRetires to" in found["fix"]
    assert refused.those("failed", "unknown") == {("leftover-certificates", "Vault")}
    assert revoked.of("leftover-certificates", "Vault")["state"] == "ok"
    assert revoked.document["leftovers"] == []
    assert revoked.document["how"].startswith("take first out of rootGenerations")
    # No istiod runs here, so nothing says since when there are new certificates.
    assert revoked.those("failed", "unknown") == {("proxies", EAST)}


def serial_of(certificate: x509.Certificate) -> str:
    number = certificate.serial_number
    return number.to_bytes((number.bit_length() + 7) // 8, "big").hex(":")
