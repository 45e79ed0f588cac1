"""Things that go wrong in Vault after an update."""

import base64
from collections.abc import Iterator
from typing import Any

from lab.lab import Lab
from tests.certificates import Recipe, make
from tests.program.inventory import vault_client

from .healthy import core
from .put_back import put_back

POLICY = "gen-int-ca-istio-east-mesh"


@put_back
def root_mount_is_shortened(lab: Lab) -> Iterator[None]:
    vault = vault_client(lab)
    vault.sys.tune_mount_configuration("pki", default_lease_ttl="1h", max_lease_ttl="1h")
    yield
    vault.sys.tune_mount_configuration("pki", default_lease_ttl="8760h", max_lease_ttl="8760h")


@put_back
def another_ca_signs(lab: Lab) -> Iterator[None]:
    """Which a look at the resources shows, and a look at what `config/ca` holds does not."""
    vault = vault_client(lab)
    ours = vault.read("pki/config/issuers")["data"]["default"]
    theirs = import_root(vault, "another")
    vault.write("pki/config/issuers", default=theirs)
    yield
    vault.write("pki/config/issuers", default=ours)
    delete_issuer(vault, theirs)


@put_back
def another_ca_is_behind_config_ca(lab: Lab) -> Iterator[None]:
    vault = vault_client(lab)
    theirs = import_root(vault, "beside")
    yield
    delete_issuer(vault, theirs)


@put_back
def another_ca_may_not_sign(lab: Lab) -> Iterator[None]:
    vault = vault_client(lab)
    theirs = import_root(vault, "only trusted")
    vault.write(f"pki/issuer/{theirs}", usage="read-only")
    yield
    delete_issuer(vault, theirs)


@put_back
def policy_is_widened(lab: Lab) -> Iterator[None]:
    policies = vault_client(lab).sys
    before = policies.read_policy(POLICY)["data"]["rules"]
    policies.create_or_update_policy(
        POLICY, f'{before}\npath "pki/*" {{ capabilities = ["read"] }}'
    )
    yield
    policies.create_or_update_policy(POLICY, before)


@put_back
def role_is_widened(lab: Lab) -> Iterator[None]:
    vault, path = vault_client(lab), f"auth/kube-east-mesh-auth/role/{POLICY}"
    before = vault.read(path)["data"]
    vault.write(
        path,
        **{
            **before,
            "bound_service_account_names": ["*"],
            "token_ttl": 7200,
            "token_max_ttl": 7200,
        },
    )
    yield
    vault.write(path, **before)


@put_back
def another_role_is_there(lab: Lab) -> Iterator[None]:
    vault, path = vault_client(lab), "auth/kube-west-mesh-auth/role/backdoor"
    vault.write(path, bound_service_account_names="*", bound_service_account_namespaces="default")
    yield
    vault.delete(path)


@put_back
def auth_mount_cuts_logins(lab: Lab) -> Iterator[None]:
    vault, path = vault_client(lab), "kube-east-mesh-auth"
    vault.sys.tune_auth_method(path, max_lease_ttl="60s")
    yield
    vault.sys.tune_auth_method(path, max_lease_ttl="0")


@put_back
def another_api_servers_ca_is_added(lab: Lab) -> Iterator[None]:
    """With which logins go on."""
    vault, path = vault_client(lab), "auth/kube-east-mesh-auth/config"
    before = {**vault.read(path)["data"], "token_reviewer_jwt": reviewer_jwt(lab, "east")}
    theirs = make(Recipe(common_name="another")).certificate_pem
    changed = f"{before['kubernetes_ca_cert'].strip()}\n{theirs}"
    vault.write(path, **{**before, "kubernetes_ca_cert": changed})
    yield
    vault.write(path, **before)


@put_back
def reviewer_jwt_is_erased(lab: Lab) -> Iterator[None]:
    """As every write of the configuration does that leaves it out; no reading shows it."""
    vault, path = vault_client(lab), "auth/kube-west-mesh-auth/config"
    before = vault.read(path)["data"]
    vault.write(path, **before)
    assert vault.read(path)["data"] == before
    yield
    vault.write(path, **before, token_reviewer_jwt=reviewer_jwt(lab, "west"))


@put_back
def request_mount_is_gone(lab: Lab) -> Iterator[None]:
    engines = vault_client(lab).sys
    description = engines.list_mounted_secrets_engines()["data"]["pki_int_west/"]["description"]
    engines.disable_secrets_engine("pki_int_west")
    yield
    engines.enable_secrets_engine("pki", "pki_int_west", description)


@put_back
def administrator_may_do_more(lab: Lab) -> Iterator[None]:
    vault, path = vault_client(lab), "auth/userpass/users/admin"
    vault.write(path, token_policies="admins,another")
    yield
    vault.write(path, token_policies="admins")


def import_root(vault: Any, name: str) -> str:
    """Brings another root into `pki` by `config/ca`; gives the issuer's id."""
    made = make(Recipe(common_name=name))
    bundle = f"{made.private_key_pem}\n{made.certificate_pem}"
    [issuer] = vault.write("pki/config/ca", pem_bundle=bundle)["data"]["imported_issuers"]
    return str(issuer)


def delete_issuer(vault: Any, issuer: str) -> None:
    key = vault.read(f"pki/issuer/{issuer}")["data"]["key_id"]
    vault.delete(f"pki/issuer/{issuer}")
    vault.delete(f"pki/key/{key}")


def reviewer_jwt(lab: Lab, cluster: str) -> str:
    found = core(lab, cluster).read_namespaced_secret("vault-token-reviewer", "istio-system")
    return base64.b64decode(found.data["token"]).decode()
