"""The Vault policy of the token that `pulumi up` works with, as text."""

from collections.abc import Sequence

from mesh_trust.validation import require_vault_path

DEFAULT_NAME = "mesh-trust-stack"
"""What the policy, and the role its tokens are made with, are called."""

# As the README has it.
_RULES: Sequence[tuple[str, Sequence[str]]] = (
    ("auth/token/create", ("update",)),
    ("sys/mounts", ("read",)),
    ("sys/mounts/pki*", ("create", "read", "update", "delete", "sudo")),
    ("sys/auth", ("read",)),
    ("sys/auth/kube-*", ("create", "read", "update", "delete", "sudo")),
    ("sys/mounts/auth/kube-*", ("read", "update", "sudo")),
    ("sys/policies/acl/gen-int-ca-istio-*", ("create", "read", "update", "delete")),
    ("auth/kube-*", ("create", "read", "update", "delete")),
    ("pki/config/*", ("create", "read", "update")),
    ("pki/issuers", ("list",)),
    ("pki/issuer/*", ("read",)),
)

# As docs/stack-token.md has it for the Vault of another stack, of which the stack writes the log.
_AUDIT: Sequence[tuple[str, Sequence[str]]] = (
    ("sys/audit", ("read", "sudo")),
    ("sys/audit/mesh-trust", ("create", "update", "delete", "sudo")),
)


def stack_policy(name: str, further: Sequence[str] = ()) -> str:
    """The rules of the README, those for an audit log, one to make a successor, and `further` ones.

    The last of the rules is what `vault rotate-admin-token` needs: a role gives its tokens this
    policy and Vault's `default` and no other, and no parent that ends them.

    Raises:
        InvalidInputError: the name could widen the policy.
    """
    require_vault_path("name", name)
    rules = [*_RULES, *_AUDIT, (f"auth/token/create/{name}", ("update",))]
    own = "\n".join(_rule(path, capabilities) for path, capabilities in rules) + "\n"
    return "\n".join([own, *further])


def _rule(path: str, capabilities: Sequence[str]) -> str:
    listed = ", ".join(f'"{each}"' for each in capabilities)
    return f'path "{path}" {{ capabilities = [{listed}] }}'
