"""The Vault policy that the README asks for is enough, and more is not taken."""

from collections.abc import Iterator

import pytest

from lab.lab import Lab

from .inventory import take_inventory
from .program import Program
from .token_policy import limited_token, rules

UP = ("up", "--yes", "--skip-preview")
REFUSAL = "VAULT_TOKEN: '…' is not valid; use a token with no more than the policy in the README"


@pytest.fixture
def undeployed(program: Program) -> Iterator[Program]:
    program.destroy()
    yield program
    # Whatever was made half-way goes with the root token.
    program.destroy()


def test_the_policy_is_enough(undeployed: Program) -> None:
    undeployed.deployed = True
    with limited_token(undeployed, rules()):
        for command in ("up", "refresh", "destroy"):
            undeployed.run(command, "--yes", "--skip-preview")


@pytest.mark.parametrize("path", ["auth/token/create", "pki/config/*"])
def test_less_is_not_enough(undeployed: Program, path: str) -> None:
    undeployed.deployed = True
    less = [rule for rule in rules() if f'"{path}"' not in rule]
    assert len(less) == len(rules()) - 1

    with limited_token(undeployed, less):
        outcome = undeployed.attempt(*UP)

    assert outcome.exit_code != 0
    assert "permission denied" in outcome.output


def test_a_root_token_is_refused_outside_development(lab: Lab, undeployed: Program) -> None:
    before = take_inventory(lab)
    undeployed.configure(development=False)
    try:
        outcomes = [undeployed.attempt("preview"), undeployed.attempt(*UP)]
        with limited_token(
            undeployed, [*rules(), 'path "auth/token/lookup-self" {capabilities = ["deny"]}']
        ):
            outcomes.append(undeployed.attempt("preview"))
        with limited_token(undeployed, rules()):
            undeployed.run("preview")
    finally:
        undeployed.configure_as_committed()

    for outcome in outcomes:
        assert outcome.exit_code != 0
        assert REFUSAL in outcome.output
        assert "Traceback" not in outcome.output
    assert "root tokens are for development only" in outcomes[0].output
    assert "and that may read auth/token/lookup-self" in outcomes[-1].output
    assert take_inventory(lab).changes_since(before) == set()
