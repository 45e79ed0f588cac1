"""What the plan of a root's rotation says before a cluster is asked, and of Vault."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mesh_trust.operations.errors import OperationError
from mesh_trust.operations.finding import Finding, State
from mesh_trust.operations.generations import Generation
from mesh_trust.operations.rotation.leftovers import LEFTOVERS, Leftovers
from mesh_trust.operations.rotation.next_step import NextStep, Step
from mesh_trust.operations.rotation.plan import how_it_is_done, tell_plan
from mesh_trust.operations.runner import run_checks
from tests.certificates import make

ROOT = Generation("first", make().certificate, False)
NEXT = Generation("2027", make().certificate, True)
RETIRE = NextStep(Step.RETIRE, ROOT, NEXT)


def stack(source: str = "generated", address: str | None = None) -> Any:
    """One without clusters, as far as the plan looks at it."""
    vault = {"install": {"address": address}, "ca_file": None, "namespace": None}
    settings = {
        "root": SimpleNamespace(source=source),
        "names": SimpleNamespace(root_mount="pki"),
        "clusters": [],
        "cluster_ca_mounts": [],
        "vault": SimpleNamespace(**vault),
    }
    return SimpleNamespace(settings=SimpleNamespace(**settings), outputs={})


def test_who_keeps_an_external_root_changes_it() -> None:
    with pytest.raises(OperationError, match=r"^rootSource external has no generations here"):
        tell_plan(stack("external"), as_document=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without a token."""
    monkeypatch.delenv("VAULT_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def left(of: Any) -> Finding:
    [found] = run_checks({"Vault": Leftovers(of, RETIRE).checks()})
    assert (found.check, found.state) == (LEFTOVERS, State.UNKNOWN)
    return found


def test_without_a_token_nothing_else_of_the_plan_is_lost(home: Path) -> None:
    # Nobody listens there.
    silent = stack(address="http://127.0.0.1:1")

    found = left(silent)
    assert found.seen == "VAULT_TOKEN is not set"
    assert found.fix is not None

    # What `vault login` leaves.
    (home / ".vault-token").write_text("left")
    assert left(silent).seen.startswith("Vault does not tell pki/ca/pem")
    assert left(stack()).seen == "the stack has no Vault yet"


def test_what_is_left_is_revoked_first() -> None:
    ok, warning = (
        Finding(LEFTOVERS, "Vault", state, "seen") for state in (State.OK, State.WARNING)
    )
    elsewhere = Finding("trusted-roots", "cluster east", State.WARNING, "seen")
    assert how_it_is_done(RETIRE, [elsewhere, ok]) == RETIRE.how
    assert how_it_is_done(RETIRE, [elsewhere, warning]) == (
        f"revoke what Vault has left (see leftover-certificates), then {RETIRE.how}"
    )
