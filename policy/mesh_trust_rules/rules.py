"""All rules."""

from . import (
    protection,
    rbac,
    roots,
    token_lifetimes,
    trust_policies,
    vault_policies,
    vault_servers,
)

ALL_RULES = (
    *vault_policies.RULES,
    *rbac.RULES,
    *vault_servers.RULES,
    *protection.RULES,
    *token_lifetimes.RULES,
    *roots.RULES,
    *trust_policies.RULES,
)
