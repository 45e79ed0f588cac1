"""Without an address, `mesh-trust vault ...` works on the Vault that the stack names."""

from lab.lab import Lab
from tests.program.program import Program

from .command import MeshTrust


def test_the_vault_of_the_stack_is_found(
    lab: Lab, deployed: Program, mesh_trust: MeshTrust
) -> None:
    assert deployed.deployed
    told = mesh_trust.run("vault", "status", "--json")
    assert told.exit_code == 0, told.errors
    (member,) = told.document["members"]
    assert member["address"] == lab.environment()["VAULT_ADDR"]
    assert member["status"]["role"] == "leader"

    # The lab's own token is a root token, which has no successor.
    token_file = str(lab.directory.root / "next-token")
    refused = mesh_trust.run("vault", "rotate-admin-token", "--token-file", token_file)
    assert refused.exit_code == 2
    assert "not one of `mesh-trust vault init`" in refused.errors
