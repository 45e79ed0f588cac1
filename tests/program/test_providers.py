"""Which cluster and which Vault is meant is always said."""

import subprocess
from pathlib import Path

import pytest
import yaml

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.commands import run_command


def preview(lab: Lab, folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Previews `program` in a project that is configured as this one is."""
    project = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())
    project["runtime"]["options"]["virtualenv"] = str(CHECKOUT / ".venv")
    project["config"]["clusters"]["default"] = []
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (folder / "__main__.py").write_text(program)
    engine = lab.directory.engine / "pulumi"
    environment = {**lab.environment(), "HOME": str(folder)}
    stack = f"providers-{folder.name}".replace("_", "-")
    for arguments in (["stack", "init", stack], ["preview", "--stack", stack]):
        done = run_command([engine, *arguments, "--non-interactive"], folder, environment)
    return done


FORGOTTEN_VAULT = """
from mesh_trust import IntermediatePki
IntermediatePki("east", {"cluster": "east", "ca_path": "pki/root/sign-intermediate"})
"""

FORGOTTEN_KUBERNETES = """
from mesh_trust import AgentRbac
AgentRbac("east", {})
"""

# A cluster of which nothing is in Vault yet: what is there would be refused.
NAMED = """
import pulumi
import pulumi_vault as vault
from mesh_trust import IntermediatePki
IntermediatePki(
    "new",
    {"cluster": "new", "ca_path": "pki/root/sign-intermediate"},
    opts=pulumi.ResourceOptions(providers=[vault.Provider("vault")]),
)
"""


@pytest.mark.parametrize(
    ("program", "package"), [(FORGOTTEN_VAULT, "vault"), (FORGOTTEN_KUBERNETES, "kubernetes")]
)
def test_a_forgotten_provider_is_an_error(
    lab: Lab, tmp_path: Path, program: str, package: str
) -> None:
    outcome = preview(lab, tmp_path, program)

    assert outcome.returncode != 0
    assert f"Default provider for '{package}' disabled" in outcome.stdout


def test_a_named_provider_is_none(lab: Lab, tmp_path: Path) -> None:
    outcome = preview(lab, tmp_path, NAMED)

    assert outcome.returncode == 0, outcome.stdout
    assert "+  vault:index:Mount new-mount create" in outcome.stdout
