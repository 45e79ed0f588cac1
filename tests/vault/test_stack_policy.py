"""What the token of the stack may mount in a real Vault, by the README's policy; and what it is."""

import time
from typing import Any

import pytest
import requests

from mesh_trust.operations.vault.stack_policy import stack_policy
from tests.private_vault import PrivateVault
from tests.program.token_policy import further_rules
from tests.token_issuer import TokenIssuer

from .operations import SECRET, Operation, Setup

ALL = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'
# As the provider of Vault sends it.
MOUNT: dict[str, Any] = {
    "description": "any",
    "config": {"default_lease_ttl": "1h"},
    "local": False,
}

ALLOWED = [
    Operation("", "PUT", "sys/auth/kube-x", {**MOUNT, "type": "kubernetes"}),
    Operation("", "PUT", "sys/mounts/auth/kube-x/tune", {"max_lease_ttl": "2h"}),
    Operation("", "GET", "sys/auth/kube-x"),
    Operation("", "DELETE", "sys/auth/kube-x"),
    Operation("", "PUT", "sys/auth/jwt-x", {**MOUNT, "type": "jwt"}),
    Operation("", "DELETE", "sys/auth/jwt-x"),
    Operation("", "PUT", "sys/mounts/pki_x", {**MOUNT, "type": "pki"}),
    Operation("", "PUT", "sys/mounts/pki_x/tune", {"max_lease_ttl": "2h"}),
    Operation("", "DELETE", "sys/mounts/pki_x"),
]
REFUSED = [
    Operation("", "PUT", "sys/auth/kube-y", {"type": "userpass"}),
    Operation("", "PUT", "sys/auth/kube-y", {"type": ["userpass"]}),
    Operation("", "PUT", "sys/auth/kube-y", {"TYPE": "userpass"}),
    Operation("", "PUT", "sys/auth/kube-y", {"type": "kubernetes", "Type": "userpass"}),
    Operation("", "PUT", "sys/auth/kube-y", {"type": "plugin", "plugin_name": "userpass"}),
    Operation("", "PUT", "sys/auth/jwt-y", {"type": "approle"}),
    Operation("", "PUT", "sys/auth/userpass", {"type": "approle"}),
    Operation("", "PUT", "sys/mounts/pki_y", {"type": "kv"}),
    Operation("", "PUT", "sys/audit/mesh-trust", {"type": "socket", "options": {"address": "x"}}),
]


@pytest.fixture(scope="module")
def token(vault: PrivateVault, setup: Setup) -> str:
    assert setup.vault is vault
    further = [*further_rules("reviewerMode: jwt"), *further_rules("administrator")]
    vault.client.sys.create_or_update_policy("stack", stack_policy("stack", further))
    made: str = vault.client.auth.token.create(policies=["stack"])["auth"]["client_token"]
    return made


def test_it_mounts_what_the_program_mounts(setup: Setup, token: str) -> None:
    for operation in ALLOWED:
        assert operation.is_allowed(setup, token), operation


@pytest.mark.parametrize("operation", REFUSED, ids=[f"{each.path} {each.body}" for each in REFUSED])
def test_it_mounts_nothing_else(setup: Setup, token: str, operation: Operation) -> None:
    assert not operation.is_allowed(setup, token)


def test_it_is_as_good_as_a_root_token(vault: PrivateVault, setup: Setup, token: str) -> None:
    """As the README says: what it may write of policies and logins cannot be less than this."""
    issuer = TokenIssuer()
    read = Operation("", "GET", SECRET)
    assert not read.is_allowed(setup, token)

    for operation in (
        Operation("", "PUT", "sys/policies/acl/gen-int-ca-istio-any", {"policy": ALL}),
        Operation("", "PUT", "sys/auth/jwt-any", {"type": "jwt"}),
        Operation(
            "", "PUT", "auth/jwt-any/config", {"jwt_validation_pubkeys": issuer.public_key_pem}
        ),
        Operation(
            "",
            "PUT",
            "auth/jwt-any/role/any",
            {
                "role_type": "jwt",
                "user_claim": "sub",
                "bound_audiences": "any",
                "token_policies": "gen-int-ca-istio-any",
            },
        ),
    ):
        assert operation.is_allowed(setup, token), operation
    now = int(time.time())
    jwt = issuer.token({"sub": "any", "aud": "any", "nbf": now - 60, "exp": now + 600})
    login = requests.post(
        f"{vault.address}/v1/auth/jwt-any/login", json={"role": "any", "jwt": jwt}, timeout=60
    )
    assert read.is_allowed(setup, login.json()["auth"]["client_token"])
