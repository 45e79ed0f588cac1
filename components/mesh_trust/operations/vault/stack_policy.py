"""The Vault policy of the token that `pulumi up` works with, as text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mesh_trust.validation import require_vault_path

DEFAULT_NAME = "mesh-trust-stack"
"""What the policy, and the role its tokens are made with, are called."""

_MADE = ("create", "read", "update", "delete")


@dataclass(frozen=True)
class Rule:
    """What may be done at a path."""

    path: str
    capabilities: Sequence[str]
    only: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Values that parameters may have, where they are given; all others may have any."""
    denied: Sequence[str] = ()
    """Parameters that may not be given."""

    def __str__(self) -> str:
        """The rule in a line of HCL."""
        parts = [f"capabilities = {_hcl(list(self.capabilities))}"]
        if self.denied:
            parts.append(f"denied_parameters = {{ {_listed(dict.fromkeys(self.denied, ()))} }}")
        if self.only:
            parts.append(f'allowed_parameters = {{ {_listed(self.only)}, "*" = [] }}')
        return f'path "{self.path}" {{ {", ".join(parts)} }}'

    def allowing(self, capabilities: Sequence[str]) -> "Rule":
        """The same rule with these capabilities."""
        return replace(self, capabilities=capabilities)


def _listed(parameters: Mapping[str, Sequence[Any]]) -> str:
    return ", ".join(f"{name} = {_hcl(list(each))}" for name, each in parameters.items())


def _hcl(value: Any) -> str:
    """A text, a list or a map of them."""
    if isinstance(value, list):
        return f"[{', '.join(map(_hcl, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {_hcl(each)}' for name, each in value.items())} }}"
    # A text of JSON is one of HCL.
    return json.dumps(value)


# As the README has it.
_RULES = (
    Rule("auth/token/create", ("update",)),
    Rule("sys/mounts", ("read",)),
    Rule("sys/mounts/pki*", (*_MADE, "sudo"), {"type": ["pki"]}),
    Rule("sys/auth", ("read",)),
    Rule("sys/auth/kube-*", (*_MADE, "sudo"), {"type": ["kubernetes"]}),
    Rule("sys/mounts/auth/kube-*", ("read", "update", "sudo")),
    Rule("sys/policies/acl/gen-int-ca-istio-*", _MADE),
    Rule("auth/kube-*", _MADE),
    Rule("pki/config/*", ("create", "read", "update")),
    Rule("pki/issuers", ("list",)),
    Rule("pki/issuer/*", ("read",)),
)

# As docs/stack-token.md has it for the Vault of another stack, of which the stack writes the log.
_AUDIT = (
    Rule("sys/audit", ("read", "sudo")),
    Rule("sys/audit/mesh-trust", ("create", "update", "delete", "sudo"), {"type": ["file"]}),
)


def stack_policy(name: str, further: Sequence[str] = (), *, only_further: bool = False) -> str:
    """The rules of the README, those for an audit log, one to make a successor, and `further` ones.

    The last of the rules is what `vault rotate-admin-token` needs: a role gives its tokens this
    policy and Vault's `default` and no other, and no parent that ends them. `only_further` leaves
    all but this one out.

    Raises:
        InvalidInputError: the name could widen the policy.
    """
    own = () if only_further else (*_RULES, *_AUDIT)
    return "\n".join([*map(str, (*own, successor_rule(name))), "", *further])


def successor_rule(name: str) -> Rule:
    """What a token needs to make its successor, by the token role `name`.

    Raises:
        InvalidInputError: the name could widen the policy.
    """
    require_vault_path("name", name)
    return Rule(f"auth/token/create/{name}", ("update",))
