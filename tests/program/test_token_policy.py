"""The Vault policy that the README asks for is enough, and the check of it can fail."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.directory import CHECKOUT
from lab.lab import Lab

from .inventory import vault_client
from .program import Program

POLICY = "stack-of-the-readme"


def readme_rules() -> list[str]:
    """The lines of the README's policy."""
    return _first_policy((CHECKOUT / "README.md").read_text())


def further_rules(heading: str) -> list[str]:
    """The lines that the documentation has under `heading` for what an environment can have."""
    _, _, rest = (CHECKOUT / "docs" / "stack-token.md").read_text().partition(f"## {heading}\n")
    return _first_policy(rest)


def rules() -> list[str]:
    """The rules for the committed environment."""
    return readme_rules() + further_rules("administrator")


def _first_policy(text: str) -> list[str]:
    _, found, rest = text.partition("```hcl\n")
    assert found
    return rest.partition("```")[0].strip().splitlines()


@pytest.fixture
def undeployed(program: Program) -> Iterator[Program]:
    program.destroy()
    yield program
    # Whatever was made half-way goes with the root token.
    program.destroy()


def run(
    lab: Lab, policy: list[str], *arguments: str, configuration: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the engine with a token that has `policy`, and what every token has.

    Without a `configuration` it is the committed one.
    """
    vault = vault_client(lab)
    vault.sys.create_or_update_policy(POLICY, "\n".join(policy))
    token = vault.auth.token.create(policies=[POLICY], ttl="10m")
    try:
        return subprocess.run(
            [
                lab.directory.engine / "pulumi",
                *arguments,
                *("--config-file", configuration or lab.directory.project / "Pulumi.dev.yaml"),
                *("--stack", "dev", "--yes", "--skip-preview", "--non-interactive"),
            ],
            cwd=CHECKOUT,
            env={**lab.environment(), "VAULT_TOKEN": token["auth"]["client_token"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    finally:
        vault.sys.delete_policy(POLICY)


def test_the_policy_is_enough(lab: Lab, undeployed: Program) -> None:
    undeployed.deployed = True
    for command in ("up", "refresh", "destroy"):
        done = run(lab, rules(), command)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", ["auth/token/create", "pki/config/*"])
def test_less_is_not_enough(lab: Lab, undeployed: Program, path: str) -> None:
    undeployed.deployed = True
    less = [rule for rule in rules() if f'"{path}"' not in rule]
    assert len(less) == len(rules()) - 1

    done = run(lab, less, "up")

    assert done.returncode != 0
    assert "permission denied" in done.stdout
