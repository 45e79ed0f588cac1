"""The Vault policy that the README asks for is enough, and the check of it can fail."""

import subprocess
from collections.abc import Iterator

import pytest

from lab.directory import CHECKOUT
from lab.lab import Lab

from .inventory import vault_client
from .program import Program

POLICY = "stack-of-the-readme"


def rules() -> list[str]:
    """The lines of the README's policy."""
    _, _, rest = (CHECKOUT / "README.md").read_text().partition("```hcl\n")
    text, _, _ = rest.partition("```")
    return text.strip().splitlines()


@pytest.fixture
def undeployed(program: Program) -> Iterator[Program]:
    program.destroy()
    yield program
    # Whatever was made half-way goes with the root token.
    program.destroy()


def run(lab: Lab, policy: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the engine with a token that has `policy`, and what every token has."""
    vault = vault_client(lab)
    vault.sys.create_or_update_policy(POLICY, "\n".join(policy))
    token = vault.auth.token.create(policies=[POLICY], ttl="10m")
    try:
        return subprocess.run(
            [
                lab.directory.engine / "pulumi",
                *arguments,
                *("--config-file", lab.directory.project / "Pulumi.dev.yaml"),
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
