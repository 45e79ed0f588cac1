"""Tokens for Vault that may do no more than the documentation asks for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lab.directory import CHECKOUT

from .inventory import vault_client
from .program import Program

_POLICY = "stack-of-the-readme"


def readme_rules() -> list[str]:
    """The lines of the README's policy."""
    return _first_policy((CHECKOUT / "README.md").read_text())


def further_rules(heading: str, page: str = "docs/stack-token.md") -> list[str]:
    """The lines that `page` has under `heading` for what an environment can have."""
    _, _, rest = (CHECKOUT / page).read_text().partition(f"## {heading}\n")
    return _first_policy(rest)


def hcl_of(page: str) -> list[str]:
    """The lines of the first policy in a page of the project's."""
    return _first_policy((CHECKOUT / page).read_text())


def rules() -> list[str]:
    """The rules for the committed environment."""
    return readme_rules() + further_rules("administrator")


def _first_policy(text: str) -> list[str]:
    _, found, rest = text.partition("```hcl\n")
    assert found
    return rest.partition("```")[0].strip().splitlines()


@contextmanager
def limited_token(program: Program, policy: Sequence[str]) -> Iterator[None]:
    """The program works with a token that has `policy`, and what every token has."""
    vault = vault_client(program.lab)
    vault.sys.create_or_update_policy(_POLICY, "\n".join(policy))
    token = vault.auth.token.create(policies=[_POLICY], ttl="1h")
    program.vault_token = token["auth"]["client_token"]
    try:
        yield
    finally:
        program.vault_token = None
        vault.sys.delete_policy(_POLICY)
