"""The policy that `mesh-trust vault policy` prints is enough for the stack, and gets no further."""

import pytest
from hvac.exceptions import Forbidden

from lab.lab import Lab
from tests.program.inventory import vault_client
from tests.program.program import Program
from tests.program.token_policy import limited_token
from tests.vault.test_exact_policy import REFUSED

from .command import MeshTrust

EAST = "gen-int-ca-istio-east-mesh"
EAST_ROLE = f"auth/kube-east-mesh-auth/role/{EAST}"


@pytest.mark.soak
def test_a_token_with_it_does_what_the_stack_needs_and_gets_no_further(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust
) -> None:
    told = mesh_trust.run("vault", "policy")
    assert told.exit_code == 0, told.errors
    root = vault_client(lab)
    undeployed.deployed = True
    with limited_token(undeployed, told.output.splitlines()):
        undeployed.run("up", "--yes", "--skip-preview")
        undeployed.run("preview", "--refresh", "--expect-no-changes")
        token = undeployed.vault_token
        assert token is not None
        limited = vault_client(lab, token)
        for path, data in REFUSED:
            with pytest.raises(Forbidden):
                limited.write_data(path, data=data)
        # The control: with the values of the program the same requests are allowed.
        text = root.read(f"sys/policies/acl/{EAST}")["data"]["policy"]
        limited.write_data(f"sys/policies/acl/{EAST}", data={"policy": text})
        limited.write_data(EAST_ROLE, data={"token_policies": [EAST]})
        # Mounts of others are theirs.
        root.sys.enable_secrets_engine("pki", path="pki-of-others")
        with pytest.raises(Forbidden):
            limited.sys.disable_secrets_engine("pki-of-others")
        root.sys.disable_secrets_engine("pki-of-others")
        undeployed.run("destroy", "--yes", "--skip-preview")
    undeployed.deployed = False
