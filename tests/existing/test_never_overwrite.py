"""What is in Vault already is never overwritten by the components, in anyone's program."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests.printed import commands_in, named_in
from tests.private_vault import PrivateVault
from tests.program.inventory import vault_contents
from tests.token_issuer import TokenIssuer

from .conftest import OwnProgram

NAME = "gen-int-ca-istio-east-mesh"
AUTH = "kube-east-mesh-auth"
MOUNT = "pki_int_east"
EVERYTHING = {
    f"auth mount {AUTH}",
    f"configuration auth/{AUTH}/config",
    f"role auth/{AUTH}/role/{NAME}",
    f"mount {MOUNT}",
    f"policy {NAME}",
}

JWT_AUTH = "jwt-east-mesh-auth"
WITHOUT_EXAMPLE = {
    "mount pki",
    "mount pki_east",
    f"auth mount {JWT_AUTH}",
    f"role auth/{JWT_AUTH}/role/{NAME}",
    "auth mount userpass",
    "data at auth/userpass/users/admin",
    "policy admins",
}
"""What the guide has nothing like, or what comes from elsewhere than in the guide."""


def contents(vault: PrivateVault) -> dict[str, Any]:
    return dict(vault_contents(vault.client))


def refused(own: OwnProgram, vault: PrivateVault, *arguments: str) -> str:
    """Runs what has to be refused, with nothing of Vault touched; gives what was printed."""
    before = contents(vault)
    exit_code, output = own.attempt(*arguments)
    assert exit_code != 0, output
    assert "Traceback" not in output
    assert contents(vault) == before
    return output


@pytest.fixture
def by_hand(vault: PrivateVault) -> Iterator[None]:
    """All that the program would make, made by somebody else and otherwise."""
    client = vault.client
    client.sys.enable_secrets_engine("pki", path=MOUNT, description="theirs")
    client.sys.create_or_update_policy(NAME, 'path "theirs" { capabilities = ["read"] }')
    client.sys.enable_auth_method("kubernetes", path=AUTH, description="theirs")
    client.write(
        f"auth/{AUTH}/config",
        kubernetes_host="https://192.0.2.2",
        kubernetes_ca_cert="theirs",
        disable_local_ca_jwt=True,
        issuer="theirs",
    )
    client.write(
        f"auth/{AUTH}/role/{NAME}",
        bound_service_account_names="theirs",
        bound_service_account_namespaces="theirs",
        token_ttl="720h",
    )
    yield
    client.sys.disable_secrets_engine(MOUNT)
    client.sys.disable_auth_method(AUTH)
    client.sys.delete_policy(NAME)


def test_what_the_state_has_lost_is_found_and_taken_over(
    own: OwnProgram, vault: PrivateVault
) -> None:
    own.up()
    own.run("preview", "--expect-no-changes")
    made = contents(vault)

    for names, found in (
        (
            ["east-auth-role", "east-intermediate-policy"],
            {f"role auth/{AUTH}/role/{NAME}", f"policy {NAME}"},
        ),
        (["east-auth-config", "east-auth-mount", "east-intermediate-mount"], EVERYTHING),
    ):
        own.forget(*names)
        output = refused(own, vault, "preview")
        assert named_in(output) == found
    for command in commands_in(output):
        own.obey(command)

    assert contents(vault) == made
    own.up()
    own.run("preview", "--expect-no-changes")
    assert contents(vault) == made


def test_an_update_that_was_killed(own: OwnProgram, vault: PrivateVault) -> None:
    """What it has made is the stack's own, but for that of which the state says nothing."""
    own.kill_when(lambda: f"auth {AUTH}/" in contents(vault))
    known = own.urns()

    exit_code, output = own.attempt("up", "--yes")

    if exit_code != 0:
        lost = named_in(output)
        assert lost
        for resource, thing in {
            "east-intermediate-mount": f"mount {MOUNT}",
            "east-intermediate-policy": f"policy {NAME}",
            "east-auth-mount": f"auth mount {AUTH}",
            "east-auth-config": f"configuration auth/{AUTH}/config",
            "east-auth-role": f"role auth/{AUTH}/role/{NAME}",
        }.items():
            assert not (resource in known and thing in lost)
        for command in commands_in(output):
            own.obey(command)
        own.up()
    own.run("preview", "--expect-no-changes")


@pytest.mark.usefixtures("by_hand")
def test_without_a_preview_each_thing_stops_the_update(
    own: OwnProgram, vault: PrivateVault
) -> None:
    original = contents(vault)
    pending = {
        MOUNT: f"mount {MOUNT}/",
        NAME: f"policy {NAME}",
        AUTH: f"auth {AUTH}/",
        f"auth/{AUTH}/config": f"config of {AUTH}/",
        f"auth/{AUTH}/role/{NAME}": f"role {AUTH}/{NAME}",
    }
    stops = 0
    while pending:
        exit_code, output = own.attempt("up", "--yes", "--skip-preview")
        assert exit_code != 0
        commands = commands_in(output)
        assert commands
        for command in commands:
            # What was imported may be corrected by now, but nothing else was touched.
            found = contents(vault)
            assert {name: found[name] for name in pending.values()} == {
                name: original[name] for name in pending.values()
            }
            own.obey(command)
            assert contents(vault) == found
            del pending[shlex.split(command)[-1]]
        stops += 1

    assert stops > 1
    own.up()
    own.run("preview", "--expect-no-changes")
    role = vault.client.read(f"auth/{AUTH}/role/{NAME}")["data"]
    assert role["bound_service_account_names"] == ["istiod"]
    assert "theirs" not in vault.client.sys.read_policy(NAME)["data"]["rules"]


@pytest.mark.usefixtures("by_hand")
def test_a_provider_that_a_preview_cannot_configure(own: OwnProgram, vault: PrivateVault) -> None:
    """A preview cannot look then, so the update does."""
    own.settings["provider"] = "late"
    own.run("preview")
    output = refused(own, vault, "up", "--yes", "--skip-preview")
    assert f"auth mount {AUTH} is there already, and not in the state of this stack" in output


@pytest.mark.usefixtures("by_hand")
def test_the_default_provider(own: OwnProgram, vault: PrivateVault) -> None:
    own.settings["provider"] = "default"
    output = refused(own, vault, "preview")
    assert named_in(output) == EVERYTHING
    for command in commands_in(output):
        own.obey(command)
    own.up()
    own.run("preview", "--expect-no-changes")


@pytest.fixture
def others_by_hand(vault: PrivateVault) -> Iterator[None]:
    """The same for the components that the guide has nothing like."""
    client = vault.client
    client.sys.enable_secrets_engine("pki", path="pki", config={"max_lease_ttl": "87600h"})
    client.write("pki/root/generate/internal", common_name="theirs", key_type="ec", ttl="87600h")
    client.sys.enable_secrets_engine("pki", path="pki_east", description="theirs")
    client.sys.enable_auth_method("jwt", path=JWT_AUTH, description="theirs")
    client.write(f"auth/{JWT_AUTH}/config", jwt_validation_pubkeys=[TokenIssuer().public_key_pem])
    client.write(
        f"auth/{JWT_AUTH}/role/{NAME}",
        role_type="jwt",
        user_claim="sub",
        bound_audiences="theirs",
        token_policies="theirs",
    )
    client.sys.enable_auth_method("userpass", description="theirs")
    client.write("auth/userpass/users/admin", password="theirs", token_policies="theirs")
    client.sys.create_or_update_policy("admins", 'path "theirs" { capabilities = ["read"] }')
    yield
    for path in ("pki", "pki_east"):
        client.sys.disable_secrets_engine(path)
    for path in (JWT_AUTH, "userpass"):
        client.sys.disable_auth_method(path)
    client.sys.delete_policy("admins")


@pytest.mark.usefixtures("others_by_hand")
def test_what_the_guide_has_nothing_like(own: OwnProgram, vault: PrivateVault) -> None:
    """A root that Vault makes, a cluster's own CA, logins with JWTs, and the administrator."""
    own.settings["issuer_key"] = TokenIssuer().public_key_pem
    before = contents(vault)

    output = refused(own, vault, "preview")
    assert named_in(output) == WITHOUT_EXAMPLE
    for command in commands_in(output):
        own.obey(command)
    assert contents(vault) == before

    own.up()
    own.run("preview", "--expect-no-changes")
    after = contents(vault)
    for kept in ("mount pki/", "mount pki_east/", f"auth {JWT_AUTH}/", "auth userpass/"):
        # By its id, which a mount that is made anew does not keep.
        assert after[kept][0] == before[kept][0]
    # A root that others made is there besides the new one, which signs.
    assert set(before["issuers of pki/"]) < set(after["issuers of pki/"])
    assert after["default issuer of pki/"] != before["default issuer of pki/"]
    assert after[f"role {JWT_AUTH}/{NAME}"]["token_policies"] == [NAME]
    assert after["user userpass/admin"]["token_policies"] == ["admins"]
    assert "theirs" not in after["policy admins"]


@pytest.mark.usefixtures("others_by_hand")
def test_without_a_preview_they_stop_the_update(own: OwnProgram, vault: PrivateVault) -> None:
    own.settings["issuer_key"] = TokenIssuer().public_key_pem
    before = contents(vault)

    exit_code, output = own.attempt("up", "--yes", "--skip-preview")

    assert exit_code != 0
    assert commands_in(output)
    after = contents(vault)
    assert {name: after[name] for name in before} == before


def test_neighbours_and_moves(own: OwnProgram, vault: PrivateVault) -> None:
    """What is named alike is nobody's business, and what moves along is the stack's own."""
    client = vault.client
    client.sys.enable_secrets_engine("pki", path=f"{MOUNT}ern")
    client.sys.enable_auth_method("kubernetes", path=f"other/{AUTH}")
    client.write(
        f"auth/other/{AUTH}/role/{NAME}",
        bound_service_account_names="theirs",
        bound_service_account_namespaces="theirs",
    )
    client.sys.create_or_update_policy(f"{NAME}-2", 'path "theirs" { capabilities = ["read"] }')
    before = contents(vault)
    try:
        own.up()
        assert {name: contents(vault)[name] for name in before} == before

        role = client.read(f"auth/{AUTH}/role/{NAME}")["data"]
        own.settings["auth_mount"] = "elsewhere"
        own.up()
        own.run("preview", "--expect-no-changes")
        assert client.read(f"auth/elsewhere/role/{NAME}")["data"] == role
        assert f"auth {AUTH}/" not in contents(vault)
        assert {name: contents(vault)[name] for name in before} == before
    finally:
        client.sys.disable_secrets_engine(f"{MOUNT}ern")
        client.sys.disable_auth_method(f"other/{AUTH}")
        client.sys.delete_policy(f"{NAME}-2")


def test_a_token_that_may_not_look(own: OwnProgram, vault: PrivateVault) -> None:
    rules = ['path "auth/token/create" { capabilities = ["update"] }']
    rules += [
        f'path "{path}" {{ capabilities = ["create", "read", "update", "delete", "sudo"] }}'
        for path in ("sys/mounts/*", "sys/auth/*", "sys/policies/*", "auth/kube-*")
    ]
    vault.client.sys.create_or_update_policy("blind", "\n".join(rules))
    token = vault.client.auth.token.create(policies=["blind"], ttl="10m")
    own.environment["VAULT_TOKEN"] = token["auth"]["client_token"]
    try:
        output = refused(own, vault, "preview")
        assert "the token for Vault may not read sys/mounts" in output
    finally:
        vault.client.sys.delete_policy("blind")
