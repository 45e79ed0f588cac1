"""The Vault policies of one cluster's istiod agent, as text."""

import re
from collections.abc import Sequence

from .validation import InvalidInputError, require_vault_path

LEAST_PRIVILEGE = "least-privilege"
GUIDE = "guide"
POLICIES = (LEAST_PRIVILEGE, GUIDE)

# Parameters of sign-intermediate by which an agent could outgrow what the mount gives it: another
# issuer of the mount than the one that signs, a longer chain, a lifetime past the mount's maximum,
# a key identifier of its own choice.
DENIED_SIGNING_PARAMETERS = ("issuer_ref", "max_path_length", "not_after", "skid")

_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")


def require_parameters(field: str, names: Sequence[str]) -> tuple[str, ...]:
    """Returns `names`, parameters of a Vault request, in order and each once.

    Raises:
        InvalidInputError: one is not a parameter's name.
    """
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise InvalidInputError(field, names, "list names of parameters, or give an empty list")
    for name in names:
        if not isinstance(name, str) or not _PARAMETER.fullmatch(name):
            raise InvalidInputError(
                field, name, "use the name of a parameter, such as max_path_length"
            )
    return tuple(sorted(set(names)))


def agent_policy(
    csr_path: str,
    ca_path: str,
    denied_parameters: Sequence[str] = DENIED_SIGNING_PARAMETERS,
) -> str:
    """Least privilege for the handshake: make a request at `csr_path`, have it signed at `ca_path`.

    Both are Vault API paths without `/v1`. The root certificate needs no rule: Vault serves it
    unauthenticated. `sign-intermediate` takes no role, so the holder may ask for any subject name;
    what it may not ask for is in `denied_parameters`, of which Vault refuses every value
    (https://developer.hashicorp.com/vault/docs/concepts/policies#parameter-constraints).

    Raises:
        InvalidInputError: a path could widen the policy, or a name is not a parameter's.
    """
    require_vault_path("csr_path", csr_path)
    require_vault_path("ca_path", ca_path)
    denied = require_parameters("denied_parameters", denied_parameters)
    return "\n".join((_rule(csr_path, ("update",)), _rule(ca_path, ("update",), denied)))


def guide_agent_policy(intermediate_mount_path: str, signing_mount_path: str) -> str:
    """The rules of Gloo's published guide, for one cluster.

    Everything in the cluster's own mount, so that its holder can make roots and delete keys there,
    and a signature by `signing_mount_path` with any parameter.

    Raises:
        InvalidInputError: a path could widen the policy further.
    """
    require_vault_path("intermediate_mount_path", intermediate_mount_path)
    require_vault_path("signing_mount_path", signing_mount_path)
    return "\n".join(
        (
            _rule(f"{intermediate_mount_path}/*", ("create", "read", "update", "delete", "list")),
            _rule(f"{signing_mount_path}/cert/ca", ("read",)),
            _rule(
                f"{signing_mount_path}/root/sign-intermediate",
                ("create", "read", "update", "list"),
            ),
        )
    )


def _rule(path: str, capabilities: Sequence[str], denied_parameters: Sequence[str] = ()) -> str:
    listed = ", ".join(f'"{capability}"' for capability in capabilities)
    lines = [f'path "{path}" {{', f"  capabilities = [{listed}]"]
    if denied_parameters:
        lines.append("  denied_parameters = {")
        lines += [f'    "{name}" = []' for name in denied_parameters]
        lines.append("  }")
    return "\n".join((*lines, "}", ""))
