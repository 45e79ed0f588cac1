"""The policies that docs/root-ca.md adds to the README's are enough, and needed."""

import re
from typing import Any

import pytest

from lab.directory import CHECKOUT
from tests.certificates import Recipe, make
from tests.private_vault import PrivateVault

from .project import Project

ROOT, NEXT = make(), make(Recipe(common_name="next"))
PLAIN = {"common_name": "mesh root", "key_algorithm": "ECDSA-P256"}
ARGS: dict[str, dict[str, Any]] = {
    "the source `vault`": {"generate": PLAIN},
    "`further_roots`": {
        "certificate_pem": ROOT.certificate_pem,
        "private_key_pem": ROOT.private_key_pem,
        "further_roots": {
            "next": {
                "certificate_pem": NEXT.certificate_pem,
                "private_key_pem": NEXT.private_key_pem,
            }
        },
    },
}


def rules(document: str, before: str = "") -> list[str]:
    """The rules of the first policy in a document behind the words `before`."""
    text = (CHECKOUT / document).read_text()
    found = re.search(re.escape(before) + r".*?```hcl\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1].strip().splitlines()


@pytest.mark.parametrize("what", ARGS)
def test_the_policies_are_enough_and_needed(
    vault: PrivateVault, project: Project, what: str
) -> None:
    base, more = rules("README.md"), rules("docs/root-ca.md", f"for {what}\n\n")
    project.give("RootPki", {**ARGS[what], "protect": False})
    vault.client.sys.create_or_update_policy("program", "\n".join([*base, *more]))
    token = vault.client.auth.token.create(policies=["program"], ttl="10m")
    project.environment["VAULT_TOKEN"] = token["auth"]["client_token"]
    project.up()
    project.expect_no_changes()
    project.run("destroy", "--yes", "--skip-preview")

    vault.client.sys.create_or_update_policy("program", "\n".join(base))
    outcome = project.attempt("up", "--yes", "--skip-preview")
    assert outcome.exit_code != 0
    assert "permission denied" in outcome.output
    project.environment["VAULT_TOKEN"] = vault.token
