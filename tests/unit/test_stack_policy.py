"""The stack's token gets what the README asks for, and the right to make its successor."""

import pytest

from lab.directory import CHECKOUT
from mesh_trust import InvalidInputError
from mesh_trust.operations.vault.stack_policy import stack_policy


def rules(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def documented(page: str, heading: str = "") -> list[str]:
    rest = (CHECKOUT / page).read_text().partition(heading)[2] if heading else None
    text = (CHECKOUT / page).read_text() if rest is None else rest
    return rules(text.partition("```hcl\n")[2].partition("```")[0])


def test_it_has_the_rules_of_the_readme_those_for_an_audit_log_and_one_more() -> None:
    successor = 'path "auth/token/create/stack-of-prod" { capabilities = ["update"] }'
    assert rules(stack_policy("stack-of-prod")) == [
        *documented("README.md"),
        *documented("docs/stack-token.md", "## vaultStack"),
        successor,
    ]


def test_further_rules_come_after_it() -> None:
    further = 'path "sys/policies/acl/admins" { capabilities = ["read"] }'
    assert rules(stack_policy("stack", [further]))[-1] == further


@pytest.mark.parametrize("name", ["", "a*", "a+b/+", '" { capabilities = ["sudo"] }'])
def test_a_name_cannot_widen_it(name: str) -> None:
    with pytest.raises(InvalidInputError):
        stack_policy(name)
