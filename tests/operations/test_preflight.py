"""`mesh-trust preflight` where all is well: before the first update, and after it."""

from pathlib import Path

from lab.lab import Lab
from tests.private_vault import AuditLog
from tests.program.inventory import await_own_objects, take_inventory
from tests.program.program import Program
from tests.program.token_policy import limited_token, rules

from .command import MeshTrust
from .looked import SCALED_DOWN, preflight
from .test_preflight_clusters import EAST, configured

ALL = ("mgmt", "east", "west")
ROOT = ("root", "stack")
ASKED_BY_POST = {"sys/capabilities-self"}
"""What Vault counts among writes, as it is asked with a body."""


def test_before_the_first_update(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust, audit: AuditLog
) -> None:
    await_own_objects(lab, ALL)
    before, writes = take_inventory(lab, ALL), len(audit.all_writes())

    told = preflight(mesh_trust)

    assert told.those("failed", "unknown") == set()
    assert told.those("warning") == SCALED_DOWN
    assert told.exit_code == 0
    assert "9 are free, and 0 the stack's own" in told.of("vault-paths", "Vault")["seen"]
    assert set(audit.all_writes()[writes:]) == ASKED_BY_POST
    assert take_inventory(lab, ALL).changes_since(before) == set()

    # The control: what is written is seen.
    undeployed.up()
    assert "sys/mounts/pki" in audit.all_writes()[writes:]
    assert take_inventory(lab, ALL).changes_since(before) != set()


def test_after_an_update(
    lab: Lab, deployed: Program, mesh_trust: MeshTrust, audit: AuditLog
) -> None:
    assert deployed.deployed
    before, writes = take_inventory(lab, ALL), len(audit.all_writes())

    told = preflight(mesh_trust)

    assert told.those("failed", "unknown") == set()
    assert told.those("warning") == SCALED_DOWN
    assert "0 are free, and 9 the stack's own" in told.of("vault-paths", "Vault")["seen"]
    assert "the stack has it, and keeps it" in told.of("root", "stack")["seen"]
    assert set(audit.all_writes()[writes:]) == ASKED_BY_POST
    assert take_inventory(lab, ALL).changes_since(before) == set()


def test_a_table_for_people(deployed: Program, mesh_trust: MeshTrust) -> None:
    assert deployed.deployed
    told = mesh_trust.run("preflight", environment={"COLUMNS": "200"})
    assert told.exit_code == 0, told.errors
    assert "findings in" in told.output
    for subject in ("stack", "Vault", "cluster east", "cluster west", "cluster management"):
        assert f"\n{' ' * 9}{subject}" in f"\n{told.output}"
    token = mesh_trust.environment()["VAULT_TOKEN"]
    assert token
    assert token not in told.output + told.errors


def test_every_check_is_in_the_documentation(deployed: Program, mesh_trust: MeshTrust) -> None:
    assert deployed.deployed
    page = (Path(__file__).parents[2] / "docs" / "preflight.md").read_text()
    for each in preflight(mesh_trust).findings:
        assert f"| `{each['check']}` |" in page


def test_another_root_than_the_stacks_own(deployed: Program, mesh_trust: MeshTrust) -> None:
    with configured(deployed, rootCommonName="another root"):
        told = preflight(mesh_trust)
    assert told.exit_code == 0
    assert told.those("warning") == SCALED_DOWN | {ROOT}
    with (
        limited_token(deployed, rules()),
        configured(deployed, rootCommonName="another root", development=False),
    ):
        told = preflight(mesh_trust)
    assert told.those("failed") == {ROOT}
    assert "this plan replaces the root" in told.of(*ROOT)["seen"]
    assert "rootReplaces" in told.of(*ROOT)["fix"]


def test_a_root_that_ends_before_what_it_signs(deployed: Program, mesh_trust: MeshTrust) -> None:
    with configured(deployed, intermediateLifetimeDays=3650):
        told = preflight(mesh_trust)
    assert told.those("failed") == {ROOT}
    assert EAST in {subject for _, subject in told.those("ok")}


def test_a_stack_that_is_not_there(deployed: Program, mesh_trust: MeshTrust) -> None:
    assert deployed.deployed
    told = mesh_trust.run("--stack", "absent", "preflight")
    assert told.exit_code == 2
    assert told.output == ""
    assert "absent" in told.errors
    assert len(told.errors.strip().splitlines()) == 1
