"""A token with the policy of one stack does what that stack does in a real Vault, and no more."""

from typing import Any

import pytest

from mesh_trust.administrator_policy import AdministeredNames, administrator_policy
from mesh_trust.names import csr_path, role_name, sign_intermediate_path
from mesh_trust.operations.vault.exact_policy import exact_policy
from mesh_trust.vault_policy import agent_policy
from tests.private_vault import PrivateVault
from tests.unit.test_settings import environment, load

from .operations import SECRET, Operation, Setup, kube_role

__all__ = ["environment"]

ALL = 'path "*" { capabilities = ["sudo"] }'
EAST = role_name("east")
ROLE = f"auth/kube-east-mesh-auth/role/{EAST}"
POLICY, ADMINS = f"sys/policies/acl/{EAST}", "sys/policies/acl/admins"
ACCOUNT = {
    "bound_service_account_names": "istiod",
    "bound_service_account_namespaces": "istio-system",
}
TEXT = agent_policy(csr_path("pki_int_east"), sign_intermediate_path("pki"))
OF_ADMINS = administrator_policy(
    "admins", ["pki"], [AdministeredNames("pki_int_east", "kube-east-mesh-auth", EAST, EAST)]
)

ALLOWED: list[tuple[str, dict[str, Any]]] = [
    (POLICY, {"policy": TEXT}),
    (ADMINS, {"policy": OF_ADMINS}),
    (ROLE, {**kube_role("east"), "token_policies": [EAST]}),
    ("auth/userpass/users/admin", {"password": "x", "token_policies": ["admins"]}),
]
REFUSED: list[tuple[str, dict[str, Any]]] = [
    (POLICY, {"policy": ALL}),
    (POLICY, {"policy": f"{TEXT}{ALL}"}),
    (POLICY, {"POLICY": ALL}),
    (ADMINS, {"policy": ALL}),
    (f"sys/policies/acl/{role_name('west')}", {"policy": ALL}),
    (ROLE, {**ACCOUNT, "token_policies": "admins"}),
    (ROLE, {**ACCOUNT, "token_policies": [EAST, "admins"]}),
    (ROLE, {**ACCOUNT, "token_policies": EAST, "policies": "admins"}),
    ("auth/kube-east-mesh-auth/role/other", {**ACCOUNT, "token_policies": EAST}),
    ("auth/userpass/users/admin", {"token_policies": EAST}),
    ("auth/userpass/users/admin", {"policies": EAST}),
    ("auth/userpass/users/other", {"password": "x"}),
    ("sys/auth/kube-other", {"type": "kubernetes"}),
    ("sys/mounts/pki_other", {"type": "pki"}),
]


def test_what_it_writes_and_what_it_does_not(vault: PrivateVault, setup: Setup) -> None:
    settings = load(clusters=[{"name": "east"}], administrator=True)
    vault.client.sys.create_or_update_policy("exact", exact_policy(settings, "exact"))
    token = vault.client.auth.token.create(policies=["exact"])["auth"]["client_token"]

    for path, body in ALLOWED:
        assert Operation("", "PUT", path, body).is_allowed(setup, token), (path, body)
    for path, body in REFUSED:
        assert not Operation("", "PUT", path, body).is_allowed(setup, token), (path, body)
    assert not Operation("", "DELETE", "sys/mounts/pki_west").is_allowed(setup, token)
    assert not Operation("", "GET", SECRET).is_allowed(setup, token)


@pytest.mark.parametrize(("path", "body"), [each for each in REFUSED if "policy" in each[1]])
def test_it_is_the_policy_that_refuses(
    vault: PrivateVault, setup: Setup, path: str, body: dict[str, Any]
) -> None:
    before = vault.client.read(path)
    assert Operation("", "PUT", path, body).is_allowed(setup, vault.token)
    if before is not None:
        vault.client.write_data(path, data={"policy": before["data"]["policy"]})
