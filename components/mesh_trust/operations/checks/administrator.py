"""The user who looks after the setup, where there is one."""

from collections.abc import Iterator

from mesh_trust.administrator_policy import AdministeredNames, administrator_policy
from mesh_trust.login_role import DEFAULT_TTL_SECONDS

from ..comparison import PUT_BACK, differences
from ..expected import Expected
from ..finding import Finding, State
from ..vault_view import VaultView
from .vault_server import VAULT


def administrator(view: VaultView, expected: Expected) -> Iterator[Finding]:
    """Whether user and policy are as the program left them."""
    names = expected.settings.names
    mounts = [place.path for place in expected.signing_places if place.lifetimes is not None]
    clusters = [
        AdministeredNames(own.intermediate_mount, own.auth_mount, own.role, own.policy)
        for own in (trust.cluster.names for trust in expected.trusts)
    ]
    user_path = f"auth/{names.administrator_mount}/users/{names.administrator}"
    policy_path = f"sys/policies/acl/{names.administrator_policy}"
    faults = []
    rules = (view.read(policy_path) or {}).get("policy")
    wanted = administrator_policy(names.administrator_policy, mounts, clusters)
    if rules is None:
        faults.append(f"{policy_path} is not there")
    elif rules.strip() != wanted.strip():
        faults.append(f"{policy_path}: its rules are others than the program's")
    user = None
    if names.administrator_mount in view.auth_mounts:
        user = view.read(user_path)
    if user is None:
        faults.append(f"{user_path} is not there")
    else:
        role = {
            "token_policies": [names.administrator_policy],
            "token_ttl": DEFAULT_TTL_SECONDS,
            "token_max_ttl": DEFAULT_TTL_SECONDS,
        }
        faults += [f"{user_path}: {each}" for each in differences(role, user)]
    if faults:
        yield Finding("administrator", VAULT, State.FAILED, "; ".join(faults), PUT_BACK)
        return
    seen = f"{user_path} and its policy are as the program left them"
    yield Finding("administrator", VAULT, State.OK, seen)
