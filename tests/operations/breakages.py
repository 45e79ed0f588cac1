"""Things that go wrong after an update, each with the check that has to see it."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

import yaml

from lab.lab import Lab
from tests.certificates import Recipe, make
from tests.program.inventory import vault_client

from .healthy import (
    ISSUED,
    POLICIES,
    PROXIES,
    ROOT_MAP,
    accept,
    apps,
    core,
    custom,
    issue,
    put_map,
)

Broken = Callable[[Lab], AbstractContextManager[None]]
_P = ParamSpec("_P")
POLICY = "gen-int-ca-istio-east-mesh"
MESHES = ("internal.gloo.solo.io", "v2", "gloo-mesh", "meshes")
MESH = "istiod-istio-system-{}"


@dataclass(frozen=True)
class Breakage:
    """Something to break, and what has to be found then: state and words, by check and subject."""

    broken: Broken
    found: Mapping[tuple[str, str], tuple[str, str]]

    @property
    def name(self) -> str:
        return self.broken.__name__


class _PutBack(AbstractContextManager[None]):
    """Runs a generator to its end, whatever becomes of what is done within."""

    def __init__(self, steps: Iterator[None]) -> None:
        self._steps = steps

    def __enter__(self) -> None:
        next(self._steps)

    def __exit__(self, *_: object) -> None:
        next(self._steps, None)


def put_back(
    function: Callable[_P, Iterator[None]],
) -> Callable[_P, AbstractContextManager[None]]:
    @wraps(function)
    def broken(*args: _P.args, **kwargs: _P.kwargs) -> AbstractContextManager[None]:
        return _PutBack(function(*args, **kwargs))

    return broken


# In Vault


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
    vault.write(path, **{**before, "bound_service_account_names": ["*"], "token_ttl": 7200})
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


# In the clusters


@put_back
def root_trust_policy_is_changed(lab: Lab) -> Iterator[None]:
    """And Gloo has accepted that."""
    objects = custom(lab, "east")
    before = objects.get_namespaced_custom_object(*POLICIES, "east")["spec"]
    change = {"config": {"agentCa": {"vault": {"caPath": "other/root/sign-intermediate"}}}}
    objects.patch_namespaced_custom_object(*POLICIES, "east", {"spec": change})
    accept(lab, "east")
    yield
    objects.patch_namespaced_custom_object(*POLICIES, "east", {"spec": before})
    accept(lab, "east")


@put_back
def root_trust_policy_is_refused(lab: Lab) -> Iterator[None]:
    accept(lab, "west", "INVALID")
    yield
    accept(lab, "west")


@put_back
def root_trust_policy_is_not_looked_at(lab: Lab) -> Iterator[None]:
    accept(lab, "west", behind=1)
    yield
    accept(lab, "west")


@put_back
def a_policy_restarts_pods(lab: Lab) -> Iterator[None]:
    """In the management cluster, in a namespace of its own."""
    place = ("admin.gloo.solo.io", "v2", "default", "roottrustpolicies")
    objects = custom(lab, "mgmt")
    policy = {
        "apiVersion": "admin.gloo.solo.io/v2",
        "kind": "RootTrustPolicy",
        "metadata": {"name": "by-hand"},
        "spec": {"config": {"autoRestartPods": True, "mgmtServerCa": {"generated": {}}}},
    }
    objects.create_namespaced_custom_object(*place, policy)
    yield
    objects.delete_namespaced_custom_object(*place, "by-hand")


@put_back
def mesh_is_not_discovered(lab: Lab) -> Iterator[None]:
    objects, name = custom(lab, "west"), MESH.format("west")
    before = objects.get_namespaced_custom_object(*MESHES, name)
    objects.delete_namespaced_custom_object(*MESHES, name)
    yield
    before["metadata"] = {"name": name}
    objects.create_namespaced_custom_object(*MESHES, before)


@put_back
def gloo_complains_of_a_mesh(lab: Lab) -> Iterator[None]:
    mesh = {"kind": "Mesh", "name": MESH.format("east"), "namespace": "gloo-mesh"}
    event = {
        "metadata": {"name": "complaint"},
        "involvedObject": mesh,
        "type": "Warning",
        "reason": "Untranslated",
        "message": "its agent is not connected",
    }
    core(lab, "east").create_namespaced_event("gloo-mesh", event)
    yield
    core(lab, "east").delete_namespaced_event("complaint", "gloo-mesh")


@put_back
def certificate_is_not_issued(lab: Lab) -> Iterator[None]:
    issue(lab, "east", "FAILED", "Code: 403. Errors: permission denied")
    yield
    issue(lab, "east", "FINISHED")


@put_back
def certificate_is_waited_for(lab: Lab) -> Iterator[None]:
    issue(lab, "west", "REQUESTED")
    yield
    issue(lab, "west", "FINISHED")


@put_back
def no_certificate_is_ordered(lab: Lab) -> Iterator[None]:
    objects, name = custom(lab, "east"), "istiod-istio-system-east"
    before = objects.get_namespaced_custom_object(*ISSUED, name)
    objects.delete_namespaced_custom_object(*ISSUED, name)
    yield
    before["metadata"] = {"name": name}
    objects.create_namespaced_custom_object(*ISSUED, before)
    issue(lab, "east", "FINISHED")


@put_back
def a_namespace_has_another_root(lab: Lab) -> Iterator[None]:
    theirs = make(Recipe(common_name="istiod's own")).certificate_pem
    with in_place_of_root(lab, "west", "gloo-mesh", lambda _: theirs):
        yield


@put_back
def a_namespace_has_a_further_root(lab: Lab) -> Iterator[None]:
    theirs = make(Recipe(common_name="a stranger")).certificate_pem
    with in_place_of_root(lab, "east", "default", lambda ours: f"{ours}{theirs}"):
        yield


@put_back
def a_namespace_has_no_root(lab: Lab) -> Iterator[None]:
    api = core(lab, "west")
    data = api.read_namespaced_config_map(ROOT_MAP, "default").data
    api.delete_namespaced_config_map(ROOT_MAP, "default")
    yield
    put_map(lab, "west", "default", ROOT_MAP, data)


@put_back
def a_ca_key_lies_in_cacerts(lab: Lab) -> Iterator[None]:
    """Under the name that cert-manager gives to a key."""
    with secret(lab, "east", "istio-system", "cacerts", "tls.key"):
        yield


@put_back
def a_ca_key_lies_elsewhere(lab: Lab) -> Iterator[None]:
    with secret(lab, "mgmt", "default", "forgotten", "ca-key.pem"):
        yield


@put_back
def a_servers_key_is_there(lab: Lab) -> Iterator[None]:
    """A key, and none of a CA."""
    with secret(lab, "east", "default", "server", "tls.key"):
        yield


@put_back
def istiod_does_not_start(lab: Lab) -> Iterator[None]:
    """There is no node for it."""
    api = apps(lab, "west")
    api.patch_namespaced_deployment_scale("istiod", "istio-system", {"spec": {"replicas": 1}})
    yield
    api.patch_namespaced_deployment_scale("istiod", "istio-system", {"spec": {"replicas": 0}})


@put_back
def agent_is_taken_out(lab: Lab) -> Iterator[None]:
    api = apps(lab, "east")
    before = api.read_namespaced_deployment("istiod", "istio-system")
    agent = {"name": "gloo-mesh-istiod-agent", "$patch": "delete"}
    change = {"spec": {"template": {"spec": {"containers": [agent]}}}}
    api.patch_namespaced_deployment("istiod", "istio-system", change)
    yield
    before.metadata.resource_version = None
    before.metadata.managed_fields = None
    api.replace_namespaced_deployment("istiod", "istio-system", before)


@put_back
def istiod_takes_no_changed_root(lab: Lab) -> Iterator[None]:
    name = "istiod-agent-environment"
    before = core(lab, "east").read_namespaced_config_map(name, "istio-system").data
    patch_map(lab, "east", name, {"ISTIO_MULTIROOT_MESH": "false"})
    yield
    patch_map(lab, "east", name, before)


@put_back
def proxies_take_no_changed_root(lab: Lab) -> Iterator[None]:
    put_map(lab, "west", "istio-system", "istio", {"mesh": "defaultConfig: {}"})
    yield
    put_map(lab, "west", "istio-system", "istio", {"mesh": yaml.safe_dump(PROXIES)})


# What they are made of


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


@put_back
def in_place_of_root(
    lab: Lab, cluster: str, namespace: str, changed: Callable[[str], str]
) -> Iterator[None]:
    before = core(lab, cluster).read_namespaced_config_map(ROOT_MAP, namespace).data
    data = {"root-cert.pem": changed(before["root-cert.pem"])}
    put_map(lab, cluster, namespace, ROOT_MAP, data)
    yield
    put_map(lab, cluster, namespace, ROOT_MAP, before)


@put_back
def secret(lab: Lab, cluster: str, namespace: str, name: str, key: str) -> Iterator[None]:
    body = {"metadata": {"name": name}, "stringData": {key: "not shown"}}
    core(lab, cluster).create_namespaced_secret(namespace, body)
    yield
    core(lab, cluster).delete_namespaced_secret(name, namespace)


def patch_map(lab: Lab, cluster: str, name: str, data: dict[str, str]) -> None:
    core(lab, cluster).patch_namespaced_config_map(name, "istio-system", {"data": data})


def _one(broken: Broken, check: str, subject: str, words: str, state: str = "failed") -> Breakage:
    return Breakage(broken, {(check, subject): (state, words)})


EAST, WEST, VAULT, MANAGEMENT = "cluster east", "cluster west", "Vault", "cluster management"

# Each row is one run: things that have nothing to do with each other, one at most of a subject.
ROWS: tuple[tuple[Breakage, ...], ...] = (
    (
        _one(root_mount_is_shortened, "signing-mount", VAULT, "3600 s at most, not 31536000 s"),
        _one(
            root_trust_policy_is_changed,
            "root-trust-policy",
            EAST,
            "vault.caPath is 'other/root/sign-",
        ),
        _one(root_trust_policy_is_refused, "root-trust-policy-status", WEST, "it is INVALID"),
        _one(a_policy_restarts_pods, "auto-restart-pods", MANAGEMENT, "default/by-hand", "warning"),
    ),
    (
        _one(another_ca_signs, "signing-issuer", VAULT, "it is 'CN=another'"),
        _one(gloo_complains_of_a_mesh, "mesh", EAST, "its agent is not connected", "warning"),
        _one(
            root_trust_policy_is_not_looked_at, "root-trust-policy-status", WEST, "only (ACCEPTED)"
        ),
        _one(a_ca_key_lies_elsewhere, "ca-keys", MANAGEMENT, "default/forgotten"),
    ),
    (
        _one(another_ca_is_behind_config_ca, "other-issuers", VAULT, "'CN=beside'", "warning"),
        _one(certificate_is_not_issued, "issued-certificates", EAST, "Code: 403. Errors"),
        _one(mesh_is_not_discovered, "mesh", WEST, "no Mesh in gloo-mesh"),
    ),
    (
        Breakage(another_ca_may_not_sign, {}),
        _one(
            no_certificate_is_ordered,
            "issued-certificates",
            EAST,
            "no IssuedCertificate",
            "warning",
        ),
        _one(
            certificate_is_waited_for, "issued-certificates", WEST, "west is REQUESTED", "warning"
        ),
    ),
    (
        _one(policy_is_widened, "policy", VAULT, f"sys/policies/acl/{POLICY}"),
        _one(
            a_namespace_has_a_further_root,
            "istio-root",
            EAST,
            "namespace default has roots besides",
            "warning",
        ),
        _one(
            a_namespace_has_another_root,
            "istio-root",
            WEST,
            "namespace gloo-mesh has not the stack's",
        ),
    ),
    (
        _one(
            role_is_widened, "role", VAULT, "is ['*'], not ['istiod']; token_ttl is 7200, not 3600"
        ),
        _one(a_ca_key_lies_in_cacerts, "ca-keys", EAST, "istio-system/cacerts"),
        _one(
            a_namespace_has_no_root,
            "istio-root",
            WEST,
            "default has no istio-ca-root-cert",
            "warning",
        ),
    ),
    (
        _one(another_role_is_there, "other-roles", VAULT, "backdoor", "warning"),
        Breakage(a_servers_key_is_there, {}),
        _one(istiod_does_not_start, "istiod-ready", WEST, "0 of 1 pods are ready"),
    ),
    (
        _one(auth_mount_cuts_logins, "auth-mount", VAULT, "is 60 s, which cuts the logins' 3600 s"),
        _one(agent_is_taken_out, "istiod-agent", EAST, "has no container gloo-mesh-istiod-agent"),
        _one(reviewer_jwt_is_erased, "login", WEST, "no reviewer's JWT"),
    ),
    (
        _one(
            another_api_servers_ca_is_added, "auth-config", VAULT, "kubernetes_ca_cert is SHA-256"
        ),
        _one(istiod_takes_no_changed_root, "istiod-multiroot", EAST, "is false, not true"),
        _one(
            proxies_take_no_changed_root, "proxy-multiroot", WEST, "is not set, not true", "warning"
        ),
    ),
    (_one(request_mount_is_gone, "request-mount", VAULT, "pki_int_west is not there"),),
    (_one(administrator_may_do_more, "administrator", VAULT, "token_policies is"),),
)
