"""`verify` of a stack that installs Vault, before there is one; what follows is in operations."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from mesh_trust.operations.cli import Project
from mesh_trust.operations.command import main

from .test_settings import environment
from .test_vault_stacks import HA, installing

__all__ = ["environment"]


@pytest.fixture(autouse=True)
def stack(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was never updated."""
    assert environment.exists()
    found: Any = SimpleNamespace(name="prod-vault", settings=installing(HA), outputs={})
    monkeypatch.setattr(Project, "stack", lambda _: found)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "stack prod-vault has installed no Vault yet, so that there is nothing to verify"),
        (["--handshake"], "handshake: is not valid for a stack that installs Vault"),
    ],
)
def test_what_cannot_be_looked_at_is_said_in_a_line(options: list[str], line: str) -> None:
    told = CliRunner().invoke(main, ["verify", *options])

    assert told.exit_code == 2
    assert line in told.output
    assert "Traceback" not in told.output
