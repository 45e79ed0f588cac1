"""`mesh-trust verify` on real servers: all well, and whatever goes wrong seen by its check."""

import contextlib
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from lab import processes
from lab.directory import CHECKOUT
from lab.lab import Lab
from lab.vault_server import unseal
from tests.program.inventory import vault_client
from tests.program.program import Program, clusters
from tests.program.token_policy import limited_token, rules

from .breakages import EAST, ROWS, VAULT, WEST, Failed, Row
from .command import MeshTrust
from .conftest import CLUSTERS
from .healthy import make_healthy
from .put_back import put_back
from .vault_breakages import reviewer_jwt_is_erased

# Without nodes no istiod runs, which is worth a warning.
WITHOUT_NODES = {
    (check, f"cluster {cluster}")
    for check in ("istiod-ready", "istiod-intermediate", "istiod-log", "agent-log")
    for cluster in CLUSTERS
}
LIFETIMES = {
    ("root-lifetime", "stack"),
    ("vault-certificate", VAULT),
    ("api-server-ca", EAST),
    ("api-server-ca", WEST),
}


@pytest.fixture(scope="module")
def root_pem(program: Program) -> str:
    if not program.deployed:
        program.up()
    return str(program.outputs()["rootCertificate"])


@pytest.fixture(scope="module", autouse=True)
def healthy(lab: Lab, root_pem: str) -> None:
    """An update, and after it what Gloo and istiod make of it."""
    for cluster in CLUSTERS:
        make_healthy(lab, cluster, root_pem)


def test_all_is_well_and_nothing_is_left_behind(lab: Lab, mesh_trust: MeshTrust) -> None:
    before = left_in_vault(lab)

    told = mesh_trust.run("verify", "--json")

    assert told.those("failed", "unknown") == set(), told.output
    assert told.those("warning") == WITHOUT_NODES
    assert told.document["ok"] is True
    assert told.exit_code == 0
    assert left_in_vault(lab) == before


def test_a_person_reads_a_table(lab: Lab, mesh_trust: MeshTrust) -> None:
    with reviewer_jwt_is_erased(lab):
        told = mesh_trust.run("verify", environment={"COLUMNS": "120"})

    assert told.exit_code == 1
    lines = [line.split() for line in told.output.splitlines()]
    assert ["failed", "login"] in [line[:2] for line in lines]
    assert ["cluster", "west"] in lines
    assert "1 failed" in told.output.splitlines()[-1]
    assert vault_client(lab).token not in told.output


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "+".join(_name(each) for each in row))
def test_what_breaks_is_seen_by_its_check_and_by_no_other(
    lab: Lab, mesh_trust: MeshTrust, row: Row
) -> None:
    with contextlib.ExitStack() as broken:
        for each in row:
            broken.enter_context(each.broken(lab))
        told = mesh_trust.run("verify", "--json")

    expected = [each for each in row if isinstance(each, Failed)]
    wanted = {(each.check, each.subject): each.state for each in expected}
    found = {
        (each["check"], each["subject"]): each["state"]
        for each in told.findings
        if each["state"] != "ok"
    }
    always = WITHOUT_NODES - wanted.keys()
    assert {place: found[place] for place in found.keys() - always} == wanted
    for each in expected:
        finding = told.of(each.check, each.subject)
        assert each.words in finding["seen"], finding
        assert finding["fix"], finding
        assert "\n" not in finding["seen"] + finding["fix"]
    assert told.exit_code == int("failed" in wanted.values())


def _name(each: Any) -> str:
    name: str = each.broken.__name__
    return name


@pytest.mark.soak
def test_what_it_advises_brings_an_erased_jwt_back(
    lab: Lab, program: Program, mesh_trust: MeshTrust
) -> None:
    with reviewer_jwt_is_erased(lab):
        fix = mesh_trust.run("verify", "--json").of("login", WEST)["fix"]
        assert fix.startswith("see first that Vault gets to https://")
        assert "`vault auth disable kube-west-mesh-auth`, then `pulumi up --refresh`" in fix
        vault_client(lab).sys.disable_auth_method("kube-west-mesh-auth")
        program.up("--refresh")
        mended = mesh_trust.run("verify", "--json")

    assert mended.of("login", WEST)["state"] == "ok"


def test_a_cluster_that_hangs_hides_nothing_of_the_others(lab: Lab, mesh_trust: MeshTrust) -> None:
    with api_server_hangs(lab, "west"):
        told = mesh_trust.run("verify", "--json")

    bad = told.those("failed", "unknown")
    assert {subject for _, subject in bad} == {WEST}
    assert ("login", WEST) in bad
    assert told.of("api-server", WEST)["state"] == "unknown"
    assert "not looked at, because of api-server" in told.of("ca-keys", WEST)["seen"]
    assert told.of("api-server-ca", WEST)["state"] == "ok"
    assert told.of("login", EAST)["state"] == "ok"
    assert told.of("role", VAULT)["state"] == "ok"


@put_back
def api_server_hangs(lab: Lab, cluster: str) -> Iterator[None]:
    """It takes connections, and answers nothing."""
    [server] = [
        each.process
        for each in processes.running(lab.directory)
        if cluster in each.name and "kube-apiserver" in each.arguments[0]
    ]
    server.send_signal(signal.SIGSTOP)
    yield
    server.send_signal(signal.SIGCONT)


def test_a_sealed_vault_hides_nothing_of_the_clusters(lab: Lab, mesh_trust: MeshTrust) -> None:
    with vault_is_sealed(lab):
        told = mesh_trust.run("verify", "--json")

    assert told.of("vault-health", VAULT)["state"] == "failed"
    assert "is sealed" in told.of("vault-health", VAULT)["seen"]
    bad = told.those("failed", "unknown")
    assert {place for place in bad if place[1] != VAULT} == {("login", EAST), ("login", WEST)}
    assert told.of("policy", VAULT)["seen"] == "not looked at, because of vault-health"
    for cluster in (EAST, WEST):
        login = told.of("login", cluster)
        assert login["state"] == "unknown"
        assert "sealed" in login["seen"]
        assert login["fix"].startswith("see that it runs, is unsealed")


@put_back
def vault_is_sealed(lab: Lab) -> Iterator[None]:
    vault_client(lab).sys.seal()
    yield
    unseal(lab.directory, vault_client(lab).url)


def test_another_token_is_seen(mesh_trust: MeshTrust) -> None:
    told = mesh_trust.run("verify", "--json", environment={"VAULT_TOKEN": "hvs.unknown"})

    assert told.of("vault-token", VAULT)["state"] == "unknown"
    assert {subject for _, subject in told.those("failed", "unknown")} == {VAULT}


def test_thresholds_are_options(mesh_trust: MeshTrust) -> None:
    warned = mesh_trust.run("verify", "--json", "--warn-days", "40000", "--warn-share", "1")
    failed = mesh_trust.run("verify", "--json", "--fail-days", "40000")

    assert warned.those("warning") == LIFETIMES | WITHOUT_NODES
    assert warned.exit_code == 0
    assert failed.those("failed") == LIFETIMES
    assert failed.exit_code == 1


def test_a_configuration_that_was_not_applied_is_seen(
    program: Program, mesh_trust: MeshTrust
) -> None:
    program.configure(clusters=clusters("east"))
    try:
        told = mesh_trust.run("verify", "--json")
    finally:
        program.configure_as_committed()

    # The administrator's policy names the clusters.
    assert told.those("failed") == {("stack-outputs", "stack"), ("administrator", VAULT)}
    assert (
        "cluster west is in the stack, and not configured"
        in (told.of("stack-outputs", "stack")["seen"])
    )


def test_a_handshake_is_made_and_cleaned_up_after(lab: Lab, mesh_trust: MeshTrust) -> None:
    before = left_in_vault(lab)

    told = mesh_trust.run("verify", "--json", "--handshake")

    assert told.of("handshake", EAST)["state"] == told.of("handshake", WEST)["state"] == "ok"
    assert told.exit_code == 0
    after = left_in_vault(lab)
    new = set(after.pop("pki/certs")) - set(before.pop("pki/certs"))
    assert after == before
    assert len(new) == len(CLUSTERS)
    for serial in new:
        issued = vault_client(lab).read(f"pki/cert/{serial}")["data"]
        assert issued["revocation_time"] > 0
        names = x509.load_pem_x509_certificate(issued["certificate"].encode()).subject
        assert names.rfc4514_string() == "CN=mesh-trust verify"
    assert {each["check"] for each in told.findings} == documented_checks()


def documented_checks() -> set[str]:
    """Those of a stack with a trust in the page's tables, whose rows begin with their names."""
    sections = (CHECKOUT / "docs" / "verify.md").read_text().split("\n## ")
    of_trust = [each for each in sections if not each.startswith("A stack that installs Vault\n")]
    assert len(of_trust) == len(sections) - 1
    lines = [line for each in of_trust for line in each.splitlines()]
    rows = [line.split("|")[1] for line in lines if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([a-z][a-z-]+)`", row)}


def test_a_handshake_that_is_refused_at_its_last_step(lab: Lab, mesh_trust: MeshTrust) -> None:
    before = left_in_vault(lab)
    with signing_is_forbidden(lab):
        told = mesh_trust.run("verify", "--json", "--handshake")

    assert told.those("failed") == {("policy", VAULT), ("handshake", EAST)}
    assert "Vault refuses pki/root/sign-intermediate" in told.of("handshake", EAST)["seen"]
    keys = "pki_int_east/keys"
    assert left_in_vault(lab)[keys] == before[keys]


@put_back
def signing_is_forbidden(lab: Lab) -> Iterator[None]:
    policies, name = vault_client(lab).sys, "gen-int-ca-istio-east-mesh"
    before = policies.read_policy(name)["data"]["rules"]
    first, _, _ = before.partition('path "pki/')
    policies.create_or_update_policy(name, first)
    yield
    policies.create_or_update_policy(name, before)


def test_the_stacks_own_token_is_enough_and_what_stays_is_said(
    program: Program, mesh_trust: MeshTrust
) -> None:
    with limited_token(program, rules()):
        told = mesh_trust.run("verify", "--json", "--handshake")

    assert told.those("failed", "unknown") == set(), told.output
    assert ("handshake", EAST) in told.those("warning")
    assert "what stays: its key pki_int_east/key/" in told.of("handshake", EAST)["seen"]


def test_what_stays_is_said_of_a_refusal_as_well(
    lab: Lab, program: Program, mesh_trust: MeshTrust
) -> None:
    with limited_token(program, rules()), signing_is_forbidden(lab):
        told = mesh_trust.run("verify", "--json", "--handshake")

    found = told.of("handshake", EAST)
    assert found["state"] == "failed"
    assert "Vault refuses pki/root/sign-intermediate" in found["seen"]
    assert "what stays: its key pki_int_east/key/" in found["seen"]


def test_a_folder_without_a_project(mesh_trust: MeshTrust, tmp_path: Path) -> None:
    told = mesh_trust.run("--cwd", str(tmp_path), "verify")

    assert told.exit_code == 2
    assert "has no Pulumi.yaml" in told.errors
    assert "Traceback" not in told.errors


def left_in_vault(lab: Lab) -> dict[str, Any]:
    """What exchanges could leave behind: logins, keys, certificates."""
    vault = vault_client(lab)

    def listed(path: str) -> list[str]:
        found = vault.list(path)
        return sorted(found["data"]["keys"]) if found else []

    places = ["pki/certs", *(f"pki_int_{cluster}/keys" for cluster in CLUSTERS)]
    left = {place: listed(place) for place in places}
    accessors = listed("auth/token/accessors")
    return {**left, "logins": json.dumps(accessors)}
