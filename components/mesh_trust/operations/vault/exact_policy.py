"""The policy of one stack's token, with that stack's names and values and no others, as text."""

from collections.abc import Iterator, Mapping
from typing import Any

from mesh_trust.administrator_policy import AdministeredNames, administrator_policy
from mesh_trust.environment.cluster_trusts import configured_trust
from mesh_trust.environment.vault_access import AUDIT_PATH
from mesh_trust.intermediate_pki import policy_text
from mesh_trust.names import sign_intermediate_path
from mesh_trust.settings import Cluster, Settings

from ..preflight.vault_needs import vault_needs
from .stack_policy import Rule, successor_rule

_OLD_NAME = ("policies",)
"""By which Vault takes `token_policies` as well."""


def exact_policy(settings: Settings, name: str) -> str:
    """What `pulumi up` asks for with these settings, and the right to make a successor by `name`.

    Where a request could give its sender more than the token has, it may be made with the values
    that the program sends only: the text of a policy, the policies of a role or user, the type of a
    mount, the file of an audit log.

    Raises:
        InvalidInputError: a name could widen the policy.
    """
    bounds = {rule.path: rule for rule in _bounds(settings)}
    rules = [
        bounds.get(need.path, Rule(need.path, ())).allowing(need.capabilities)
        for need in vault_needs(settings)
    ]
    return "\n".join([*map(str, rules), str(successor_rule(name)), ""])


def _bounds(settings: Settings) -> Iterator[Rule]:
    """Rules without capabilities, each for a path of its own."""
    names = settings.names
    if settings.root.signing_mount is None:
        yield _mount(f"sys/mounts/{names.root_mount}", "pki")
    for cluster in settings.clusters:
        yield from _of_cluster(settings, cluster)
    if settings.access.administrator:
        yield _mount(f"sys/auth/{names.administrator_mount}", "userpass")
        yield _policy(names.administrator_policy, _administrators(settings))
        user = f"auth/{names.administrator_mount}/users/{names.administrator}"
        yield Rule(user, (), _carrying(names.administrator_policy), _OLD_NAME)
    if settings.vault.audit_file is not None:
        options = {"file_path": settings.vault.audit_file}
        yield Rule(f"sys/audit/{AUDIT_PATH}", (), {"type": ["file"], "options": [options]})


def _of_cluster(settings: Settings, cluster: Cluster) -> Iterator[Rule]:
    names = cluster.names
    signing = settings.root.signing_mount or settings.names.root_mount
    yield _mount(f"sys/mounts/{names.intermediate_mount}", "pki")
    if settings.access.signing_ca == "cluster":
        signing = names.ca_mount
        yield _mount(f"sys/mounts/{names.ca_mount}", "pki")
    text = policy_text(
        configured_trust(settings, cluster),
        names.intermediate_mount,
        sign_intermediate_path(signing),
    )
    yield _policy(names.policy, text)
    by_jwt = cluster.login.get("reviewer_mode") == "jwt"
    yield _mount(f"sys/auth/{names.auth_mount}", "jwt" if by_jwt else "kubernetes")
    own = {"role_type": ["jwt"], "user_claim": ["sub"]} if by_jwt else {}
    role = f"auth/{names.auth_mount}/role/{names.role}"
    yield Rule(role, (), {**_carrying(names.policy), **own}, _OLD_NAME)


def _mount(path: str, kind: str) -> Rule:
    return Rule(path, (), {"type": [kind]})


def _policy(name: str, text: str) -> Rule:
    return Rule(f"sys/policies/acl/{name}", (), {"policy": [text]})


def _carrying(policy: str) -> Mapping[str, Any]:
    # Vault compares what is asked for as it comes: a text or a list, with nothing else in it.
    return {"token_policies": [policy, [policy]]}


def _administrators(settings: Settings) -> str:
    mounts = [] if settings.root.signing_mount is not None else [settings.names.root_mount]
    if settings.access.signing_ca == "cluster":
        mounts += [cluster.names.ca_mount for cluster in settings.clusters]
    clusters = [
        AdministeredNames(own.intermediate_mount, own.auth_mount, own.role, own.policy)
        for own in (cluster.names for cluster in settings.clusters)
    ]
    return administrator_policy(settings.names.administrator_policy, mounts, clusters)
