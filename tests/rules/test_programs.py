"""The rules as the engine applies them: to a program that breaks all, and to one that keeps all."""

import json
import re
from pathlib import Path

import pytest

from lab.directory import CHECKOUT, LabDirectory
from mesh_trust_rules.rules import ALL_RULES
from tests.roots.project import Outcome, Project

_VIOLATION = re.compile(r"\[mandatory\]\s+(\S+)\s+\(([^)]+)\)")


def preview(engine: LabDirectory, folder: Path, *, broken: bool) -> Outcome:
    """Previews the program with the rules."""
    project = Project.make(engine, folder, {})
    program = (CHECKOUT / "tests" / "rules" / "program.py").read_text()
    (project.folder / "__main__.py").write_text(program)
    (project.folder / "broken.json").write_text(json.dumps(broken))
    outcome = project.attempt("preview", "--policy-pack", str(CHECKOUT / "policy"))
    project.run("stack", "rm", "--yes")
    return outcome


@pytest.fixture(autouse=True)
def no_address_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VAULT_ADDR", "VAULT_SKIP_VERIFY", "VAULT_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_a_program_that_breaks_every_rule(engine: LabDirectory, tmp_path: Path) -> None:
    outcome = preview(engine, tmp_path / "project", broken=True)
    assert outcome.exit_code != 0, outcome.output
    found = dict(_VIOLATION.findall(outcome.output))
    assert set(found) == {each.name for each in ALL_RULES}, outcome.output
    assert found["rbac-wildcards"].endswith(": permissions")


def test_a_program_that_keeps_every_rule(engine: LabDirectory, tmp_path: Path) -> None:
    outcome = preview(engine, tmp_path / "project", broken=False)
    assert outcome.exit_code == 0, outcome.output
    assert "mandatory" not in outcome.output
    assert "mesh-trust@v" in outcome.output
