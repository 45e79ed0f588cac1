"""A lab without nodes, and the examples on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.directory import CHECKOUT
from lab.lab import Lab
from lab.toolchain import Toolchain
from tests.labs import started_lab
from tests.program.inventory import (
    Inventory,
    await_own_objects,
    take_inventory,
    vault_client,
)

from .example import Example

CLUSTERS = ("east", "west")

ExampleOf = Callable[..., Example]
TokenOf = Callable[..., str]
Look = Callable[[], Inventory]


@pytest.fixture(scope="package")
def lab(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A started lab with two workload clusters; a test leaves it as it has found it."""
    with started_lab(tmp_path_factory.mktemp("examples"), toolchain, CLUSTERS) as lab:
        await_own_objects(lab, CLUSTERS)
        yield lab


@pytest.fixture
def look(lab: Lab) -> Look:
    """Tells what is in Vault and in the workload clusters."""
    return lambda: take_inventory(lab, CLUSTERS)


@pytest.fixture
def token_of(lab: Lab) -> Iterator[TokenOf]:
    """Makes tokens with the policies that examples' READMEs have, the first of each or another."""
    client = vault_client(lab)
    made: list[str] = []

    def token_of(example: str, number: int = 0) -> str:
        page = (CHECKOUT / "examples" / example / "README.md").read_text()
        policy = page.split("```hcl\n")[number + 1].partition("```")[0]
        name = f"of-{example}-{number}"
        client.sys.create_or_update_policy(name, policy)
        made.append(name)
        token: str = client.auth.token.create(policies=[name])["auth"]["client_token"]
        return token

    yield token_of
    for name in made:
        client.sys.delete_policy(name)


@pytest.fixture
def example_of(lab: Lab, token_of: TokenOf, tmp_path: Path) -> Iterator[ExampleOf]:
    """Makes stacks of examples; what is left of them is taken down after the test."""
    # The tokens outlast what was made with them.
    assert token_of is not None
    made: list[Example] = []

    def example_of(name: str, stack: str = "test") -> Example:
        example = Example.of(name, stack, tmp_path / name.replace("/", "-"), lab)
        made.append(example)
        return example

    yield example_of
    for example in reversed(made):
        example.remove()


@pytest.fixture
def leads_there(lab: Lab) -> dict[str, str]:
    """The configuration that leads to the lab's cluster `east` and Vault, key by key."""
    environment = lab.environment()
    return {
        "kubeconfig": environment["KUBECONFIG"],
        "context": "east",
        "vaultAddress": environment["VAULT_ADDR"],
        "vaultCaFile": environment["VAULT_CACERT"],
    }
