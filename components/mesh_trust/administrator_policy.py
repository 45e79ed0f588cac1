"""The Vault policy of whoever looks after this setup, as text."""

from collections.abc import Sequence
from dataclasses import dataclass

from .validation import require_vault_path

# What may be changed of a role: how long its logins last, and what they are good for. Not whom it
# admits: it carries an agent's policy, and with it comes a CA's key. So neither accounts nor
# claims, nor audiences, nor leeways, by which tokens of others, or past their time, would do. Nor
# the policies, or a role could be given any that there is.
_ROLE_PARAMETERS = (
    "token_bound_cidrs",
    "token_max_ttl",
    "token_no_default_policy",
    "token_num_uses",
    "token_ttl",
)
_TUNE_PARAMETERS = ("default_lease_ttl", "description", "max_lease_ttl")


@dataclass(frozen=True)
class AdministeredNames:
    """What one cluster's part is called in Vault."""

    intermediate_mount_path: str
    auth_mount_path: str
    role_name: str
    policy_name: str


def administrator_policy(
    name: str, signing_mount_paths: Sequence[str], clusters: Sequence[AdministeredNames]
) -> str:
    """The rules of the policy `name`: look at all of this setup, and change what is safe to change.

    `signing_mount_paths` are the mounts whose CAs sign. Left out on purpose, as each of them leads
    to more: writing policies, making roles and auth mounts, whom a role admits, where an auth mount
    looks for who logs in, importing or making CAs, signing with them. Paths are exact, so that
    nothing is within reach but what is listed.

    Raises:
        InvalidInputError: a name could widen the policy.
    """
    rules = [
        _rule("sys/mounts", "read"),
        _rule("sys/auth", "read"),
        _rule(f"sys/policies/acl/{name}", "read"),
    ]
    for mount in signing_mount_paths:
        rules += _signing_mount(mount)
    for cluster in clusters:
        rules += _cluster(cluster)
    require_vault_path("policy_name", name)
    return "\n".join(rules)


def _signing_mount(mount: str) -> list[str]:
    require_vault_path("signing_mount_paths", mount)
    return [
        _tuning(f"sys/mounts/{mount}/tune"),
        _rule(f"{mount}/issuers", "list"),
        _rule(f"{mount}/issuer/+", "read"),
        _rule(f"{mount}/keys", "list"),
        _rule(f"{mount}/key/+", "read"),
        _rule(f"{mount}/certs", "list"),
        _rule(f"{mount}/config/+", "read"),
        _rule(f"{mount}/revoke", "update"),
        _rule(f"{mount}/crl/rotate", "read"),
        _rule(f"{mount}/tidy", "update"),
        _rule(f"{mount}/tidy-status", "read"),
    ]


def _cluster(cluster: AdministeredNames) -> list[str]:
    mount, auth = cluster.intermediate_mount_path, cluster.auth_mount_path
    require_vault_path("intermediate_mount_path", mount)
    require_vault_path("auth_mount_path", auth)
    require_vault_path("role_name", cluster.role_name)
    require_vault_path("policy_name", cluster.policy_name)
    return [
        _rule(f"sys/policies/acl/{cluster.policy_name}", "read"),
        _tuning(f"sys/mounts/{mount}/tune"),
        _rule(f"{mount}/keys", "list"),
        # Each handshake leaves its key behind, which is of no use to anyone any more.
        _rule(f"{mount}/key/+", "read", "delete"),
        _tuning(f"sys/mounts/auth/{auth}/tune"),
        _rule(f"auth/{auth}/config", "read"),
        _rule(f"auth/{auth}/role", "list"),
        _role(f"auth/{auth}/role/{cluster.role_name}", cluster.policy_name),
        # Ends every login of the cluster.
        _rule(f"sys/leases/revoke-prefix/auth/{auth}/login", "update", "sudo"),
    ]


def _rule(path: str, *capabilities: str) -> str:
    listed = ", ".join(f'"{capability}"' for capability in capabilities)
    return f'path "{path}" {{\n  capabilities = [{listed}]\n}}\n'


def _tuning(path: str) -> str:
    return _limited(path, [f'"{name}" = []' for name in _TUNE_PARAMETERS])


def _role(path: str, policy_name: str) -> str:
    # Vault compares what is asked for as it comes: a text or a list, with nothing else in it.
    same = f'["{policy_name}", ["{policy_name}"]]'
    return _limited(
        path,
        [
            *(f'"{name}" = []' for name in _ROLE_PARAMETERS),
            '"role_type" = ["jwt"]',
            f'"token_policies" = {same}',
            '"user_claim" = ["sub"]',
        ],
    )


def _limited(path: str, parameters: Sequence[str]) -> str:
    listed = "\n".join(f"    {parameter}" for parameter in parameters)
    return (
        f'path "{path}" {{\n  capabilities = ["read", "update"]\n'
        f"  allowed_parameters = {{\n{listed}\n  }}\n}}\n"
    )
