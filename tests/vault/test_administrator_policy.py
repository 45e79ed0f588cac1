"""What the administrator may do in a real Vault: look after this setup, and no more.

The table is that of docs/vault-policies.md, which is compared with it.
"""

import time
from typing import Any

import pytest
import requests

from lab.directory import CHECKOUT
from mesh_trust.administrator_policy import AdministeredNames, administrator_policy
from mesh_trust.names import (
    auth_mount_path,
    jwt_auth_mount_path,
    role_name,
    service_account_subject,
)
from tests.private_vault import PrivateVault

from .operations import (
    ISTIOD,
    KUBERNETES_CONFIG,
    NAMED,
    SECRET,
    Operation,
    Setup,
    jwt_role,
    kube_role,
)

KUBE, JWT = auth_mount_path("east"), jwt_auth_mount_path("west")
ROLE = role_name("east")
KUBE_ROLE, ROLE_PATH = f"auth/{KUBE}/role", f"auth/{KUBE}/role/{ROLE}"
JWT_ROLE_PATH = f"auth/{JWT}/role/{role_name('west')}"
SUDO = 'path "*" { capabilities = ["sudo"] }'
# Vault takes a role of this kind for another, if it is not said at each change.
OF_JWT = {"role_type": "jwt", "user_claim": "sub"}
ANOTHER = service_account_subject("any", "any")
ADMITTING_ANOTHER = {**OF_JWT, "bound_claims": {"sub": [ISTIOD, ANOTHER]}}

# Two clusters whose agents log in in different ways, one with a CA of its own.
POLICY = administrator_policy(
    "admins",
    ["pki", "pki_east"],
    [
        AdministeredNames("pki_int_east", KUBE, ROLE, ROLE),
        AdministeredNames("pki_int_west", JWT, role_name("west"), role_name("west")),
    ],
)


def signing(setup: Setup) -> dict[str, Any]:
    return {"csr": setup.csr, "common_name": "istiod"}


def serial(setup: Setup) -> dict[str, str]:
    return {"serial_number": setup.new_serial()}


ALLOWED = [
    Operation("list secrets mounts", "GET", "sys/mounts"),
    Operation("list auth mounts", "GET", "sys/auth"),
    Operation("read its own policy", "GET", "sys/policies/acl/admins"),
    Operation("read an agent's policy", "GET", f"sys/policies/acl/{ROLE}"),
    Operation("read a mount's lifetimes", "GET", "sys/mounts/pki/tune"),
    Operation("change a mount's lifetimes", "PUT", "sys/mounts/pki/tune", {"max_lease_ttl": "48h"}),
    Operation("list roots", "LIST", "pki/issuers"),
    Operation("read a root", "GET", "pki/issuer/<other issuer>"),
    Operation("list certificates", "LIST", "pki/certs"),
    Operation("list keys", "LIST", "pki/keys"),
    Operation("read which root signs", "GET", "pki/config/issuers"),
    Operation("revoke a certificate", "PUT", "pki/revoke", serial),
    Operation("renew the revocation list", "GET", "pki/crl/rotate"),
    Operation("clear expired certificates", "PUT", "pki/tidy", {"tidy_cert_store": True}),
    Operation("list a cluster's CA's certificates", "LIST", "pki_east/certs"),
    Operation("list the keys of handshakes", "LIST", "pki_int_east/keys"),
    Operation("delete one", "DELETE", "pki_int_east/key/<key>"),
    Operation("read how a login is checked", "GET", f"auth/{KUBE}/config"),
    Operation("list roles", "LIST", KUBE_ROLE),
    Operation("read a role", "GET", ROLE_PATH),
    Operation("shorten logins", "PUT", ROLE_PATH, {"token_ttl": "10m", "token_policies": ROLE}),
    Operation(
        "… of a JWT auth mount",
        "PUT",
        JWT_ROLE_PATH,
        {**OF_JWT, "token_ttl": "10m", "token_policies": [role_name("west")]},
    ),
    Operation("have logins end after a few requests", "PUT", ROLE_PATH, {"token_num_uses": 4}),
    Operation("end a cluster's logins", "PUT", f"sys/leases/revoke-prefix/auth/{KUBE}/login"),
]

REFUSED = [
    # Secrets of others.
    Operation("read a secret", "GET", SECRET),
    Operation("write one", "PUT", SECRET, {"data": {}}),
    Operation("list the engine", "LIST", "secret/metadata"),
    # Ways to more.
    Operation("write its own policy", "PUT", "sys/policies/acl/admins", {"policy": SUDO}),
    Operation("write an agent's policy", "PUT", f"sys/policies/acl/{ROLE}", {"policy": SUDO}),
    Operation("write another policy", "PUT", "sys/policies/acl/any", {"policy": SUDO}),
    Operation("write a policy, by its old path", "PUT", "sys/policy/admins", {"policy": SUDO}),
    Operation("make a token", "PUT", "auth/token/create", {"policies": ["root"]}),
    Operation("make a token without a parent", "PUT", "auth/token/create-orphan"),
    Operation("make a token role", "PUT", "auth/token/roles/any", {"allowed_policies": "root"}),
    # Whom a role admits gets the agent's policy, and with it a CA's key.
    Operation("admit another account", "PUT", ROLE_PATH, {"bound_service_account_names": ["any"]}),
    Operation("… any", "PUT", ROLE_PATH, {"bound_service_account_names": "*"}),
    Operation(
        "… of another namespace", "PUT", ROLE_PATH, {"bound_service_account_namespaces": "any"}
    ),
    Operation("… in capitals", "PUT", ROLE_PATH, {"BOUND_SERVICE_ACCOUNT_NAMES": "any"}),
    Operation(
        "… with its policy as it is",
        "PUT",
        ROLE_PATH,
        {
            "bound_service_account_names": ["istiod", "any"],
            "bound_service_account_namespaces": ["istio-system"],
            "token_policies": ROLE,
        },
    ),
    Operation("admit tokens that were made for others", "PUT", ROLE_PATH, {"audience": "any"}),
    Operation("admit another account by its claims", "PUT", JWT_ROLE_PATH, ADMITTING_ANOTHER),
    Operation("… by its subject", "PUT", JWT_ROLE_PATH, {**OF_JWT, "bound_subject": "any"}),
    Operation("… by a pattern", "PUT", JWT_ROLE_PATH, {**OF_JWT, "bound_claims_type": "glob"}),
    Operation(
        "… with tokens that were made for others",
        "PUT",
        JWT_ROLE_PATH,
        {**OF_JWT, "bound_audiences": ["any", "vault"]},
    ),
    Operation(
        "… with tokens that have expired", "PUT", JWT_ROLE_PATH, {**OF_JWT, "expiration_leeway": 1}
    ),
    Operation("… or were not valid yet", "PUT", JWT_ROLE_PATH, {**OF_JWT, "not_before_leeway": 1}),
    Operation(
        "… by a clock that is far off", "PUT", JWT_ROLE_PATH, {**OF_JWT, "clock_skew_leeway": 1}
    ),
    Operation("give a role another policy", "PUT", ROLE_PATH, {"token_policies": "super"}),
    Operation("… beside its own", "PUT", ROLE_PATH, {"token_policies": f"{ROLE},super"}),
    Operation("… in a list", "PUT", ROLE_PATH, {"token_policies": [ROLE, "super"]}),
    Operation("… by its old name", "PUT", ROLE_PATH, {"policies": "super"}),
    Operation("… in capitals", "PUT", ROLE_PATH, {"TOKEN_POLICIES": "super"}),
    Operation("… of a JWT auth mount", "PUT", JWT_ROLE_PATH, {**OF_JWT, "token_policies": "super"}),
    Operation("take another user's name", "PUT", JWT_ROLE_PATH, {**OF_JWT, "user_claim": "email"}),
    Operation("give a role groups", "PUT", JWT_ROLE_PATH, {**OF_JWT, "groups_claim": "groups"}),
    Operation("delete a role", "DELETE", ROLE_PATH),
    Operation(
        "make another role",
        "PUT",
        f"{KUBE_ROLE}/any",
        {
            "bound_service_account_names": "*",
            "bound_service_account_namespaces": "*",
            "token_policies": "super",
        },
    ),
    Operation("point a login elsewhere", "PUT", f"auth/{KUBE}/config", KUBERNETES_CONFIG),
    Operation("make an auth mount", "PUT", "sys/auth/any", {"type": "approle"}),
    Operation("give itself another policy", "PUT", "auth/userpass/users/admin", {"policies": "x"}),
    Operation("make another user", "PUT", "auth/userpass/users/any", {"password": "x"}),
    Operation("make an identity", "PUT", "identity/entity", {"policies": ["super"]}),
    Operation("make a group", "PUT", "identity/group", {"policies": ["super"]}),
    Operation("make a mount", "PUT", "sys/mounts/any", {"type": "kv"}),
    Operation(
        "have keys written to the audit log",
        "PUT",
        "sys/mounts/pki/tune",
        {"audit_non_hmac_response_keys": "private_key"},
    ),
    # The trust itself.
    Operation("have a request signed", "PUT", "pki/root/sign-intermediate", signing),
    Operation(
        "have any certificate signed",
        "PUT",
        "pki/sign-verbatim",
        lambda setup: {**signing(setup), "ttl": "1h"},
    ),
    Operation("make a root", "PUT", "pki/root/generate/internal", NAMED),
    Operation(
        "let another root sign",
        "PUT",
        "pki/config/issuers",
        lambda setup: {"default": setup.root_issuer},
    ),
    Operation("delete a root", "DELETE", "pki/issuer/<issuer>"),
    Operation("delete a root's key", "DELETE", "pki/key/<key>"),
    Operation("have a request made", "PUT", "pki_int_east/intermediate/generate/exported", NAMED),
    Operation("remove a mount", "DELETE", "sys/mounts/pki_west"),
    # What belongs to no part of this setup.
    Operation(
        "read the role of another mount",
        "GET",
        f"auth/{auth_mount_path('west')}/role/{role_name('west')}",
    ),
    Operation("list another CA's certificates", "LIST", "pki_west/certs"),
    Operation("list leases", "LIST", "sys/leases/lookup/auth"),
    Operation("read audit devices", "GET", "sys/audit"),
    Operation("seal Vault", "PUT", "sys/seal"),
]
# With the root token these would end the tests' Vault, or what the next of them needs.
_NOT_TRIED_AS_ROOT = {"seal Vault", "remove a mount", "delete a role"}


@pytest.fixture
def token(vault: PrivateVault, setup: Setup) -> str:
    """A token with the policy, and with `default`, which a login carries as well.

    What the control of an earlier test changed is put back.
    """
    assert setup.vault is vault
    vault.client.sys.create_or_update_policy("admins", POLICY)
    vault.client.sys.create_or_update_policy("super", SUDO)
    vault.client.write_data(ROLE_PATH, data=kube_role("east"))
    # What a change leaves out of a role, it leaves as it is.
    vault.client.delete(JWT_ROLE_PATH)
    vault.client.write_data(JWT_ROLE_PATH, data=jwt_role("west"))
    vault.client.auth.userpass.create_or_update_user("admin", "x", policies="admins")
    made: str = vault.client.auth.token.create(policies=["admins"])["auth"]["client_token"]
    return made


def identified(operations: list[Operation]) -> list[str]:
    return [f"{each.words}: {each.method} {each.path}" for each in operations]


@pytest.mark.parametrize("operation", ALLOWED, ids=identified(ALLOWED))
def test_what_the_administrator_may_do(setup: Setup, token: str, operation: Operation) -> None:
    assert operation.is_allowed(setup, token)


@pytest.mark.parametrize("operation", REFUSED, ids=identified(REFUSED))
def test_what_the_administrator_may_not_do(
    vault: PrivateVault, setup: Setup, token: str, operation: Operation
) -> None:
    assert not operation.is_allowed(setup, token)
    # The control: it is the policy that refuses, and not Vault that knows no such request.
    if operation.words not in _NOT_TRIED_AS_ROOT:
        assert operation.is_allowed(setup, vault.token)


@pytest.mark.parametrize(("path", "named"), [(ROLE_PATH, {}), (JWT_ROLE_PATH, OF_JWT)])
def test_a_change_of_a_role_leaves_its_policies_and_whom_it_admits(
    vault: PrivateVault, setup: Setup, token: str, path: str, named: dict[str, str]
) -> None:
    before = vault.client.read(path)["data"]
    change = Operation("", "PUT", path, {**named, "token_ttl": 60})

    assert change.is_allowed(setup, token)

    assert vault.client.read(path)["data"] == {**before, "token_ttl": 60}


def test_nobody_gets_a_ca_key_through_the_administrator(
    vault: PrivateVault, setup: Setup, token: str
) -> None:
    """Whoever has any account in the cluster would log in as the agent, once admitted."""

    def get_key(subject: str) -> bool:
        """Makes the agent's exchange, if the account is let in."""
        now = int(time.time())
        claims = {"sub": subject, "aud": "any", "nbf": now - 60, "exp": now + 600}
        jwt = setup.issuer.token(claims)
        login = requests.post(
            f"{vault.address}/v1/auth/{JWT}/login",
            json={"role": role_name("west"), "jwt": jwt},
            timeout=60,
        )
        if not login.ok:
            assert "does not match any associated bound claim" in login.text, login.text
            return False
        got = login.json()["auth"]["client_token"]
        made = Operation("", "PUT", "pki_int_west/intermediate/generate/exported", NAMED)
        signed = Operation("", "PUT", "pki/root/sign-intermediate", signing)
        return made.is_allowed(setup, got) and signed.is_allowed(setup, got)

    admit = Operation("", "PUT", JWT_ROLE_PATH, ADMITTING_ANOTHER)

    assert get_key(ISTIOD)
    assert not admit.is_allowed(setup, token)
    assert not get_key(ANOTHER)
    # The control: that is all there is between them and the key.
    assert admit.is_allowed(setup, vault.token)
    assert get_key(ANOTHER)


def test_the_documentation_has_these_tables() -> None:
    text = (CHECKOUT / "docs" / "vault-policies.md").read_text()

    for operations in (ALLOWED, REFUSED):
        assert table(operations) in text, (
            f"docs/vault-policies.md should have:\n\n{table(operations)}"
        )


def table(operations: list[Operation]) -> str:
    """The operations as Markdown."""
    lines = ["| what | request |", "| --- | --- |"]
    lines += [f"| {each.words} | `{each.method} {each.path}` |" for each in operations]
    return "\n".join(lines)
