"""The Vault policy of one cluster's istiod agent, as text."""

from .validation import require_vault_path

# Parameters of sign-intermediate by which an agent could outgrow what the mount's settings give it:
# a longer chain, a lifetime past the mount's maximum, a key identifier of its own choice.
DENIED_SIGNING_PARAMETERS = ("max_path_length", "not_after", "skid")


def agent_policy(csr_path: str, ca_path: str) -> str:
    """Least privilege for the handshake: make a request at `csr_path`, have it signed at `ca_path`.

    Both are Vault API paths without `/v1`. The root certificate needs no rule: Vault serves it
    unauthenticated. `sign-intermediate` takes no role, so the holder may ask for any subject name;
    what it may not ask for is in DENIED_SIGNING_PARAMETERS, where an empty list means every value
    (https://developer.hashicorp.com/vault/docs/concepts/policies#parameter-constraints).

    Raises:
        InvalidInputError: a path could widen the policy.
    """
    require_vault_path("csr_path", csr_path)
    require_vault_path("ca_path", ca_path)
    denied = "\n".join(f'    "{name}" = []' for name in DENIED_SIGNING_PARAMETERS)
    return f"""\
path "{csr_path}" {{
  capabilities = ["update"]
}}

path "{ca_path}" {{
  capabilities = ["update"]
  denied_parameters = {{
{denied}
  }}
}}
"""
