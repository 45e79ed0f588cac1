"""What one workload cluster has in Vault, against what the program left there."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..comparison import PUT_BACK, differences
from ..expected import ExpectedTrust
from ..finding import Finding, State
from ..unreachable import UnreachableError
from ..vault_view import VaultView
from .vault_server import VAULT


def request_mount(view: VaultView, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether the mount is there in which the cluster makes its requests."""
    path = trust.cluster.names.intermediate_mount
    yield _compared("request-mount", f"mount {path}", {"type": "pki"}, view.mounts.get(path))


def policy(view: VaultView, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether the policy allows what it should, to the letter."""
    name = trust.cluster.names.policy
    found = view.read(f"sys/policies/acl/{name}")
    path = f"sys/policies/acl/{name}"
    if found is not None and found["policy"].strip() != trust.policy_text.strip():
        seen = f"{path}: its rules are others than the program's"
        fix = f"see what was changed (`vault policy read {name}`), and {PUT_BACK}"
        yield Finding("policy", VAULT, State.FAILED, seen, fix)
        return
    yield _compared("policy", path, {}, found)


def auth_mount(view: VaultView, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether the mount is there at which the agent logs in, and does not cut its lifetime."""
    path = trust.cluster.names.auth_mount
    found = view.auth_mounts.get(path)
    finding = _compared("auth-mount", f"auth/{path}", {"type": trust.auth_type}, found)
    longest = int((found or {}).get("config", {}).get("max_lease_ttl", 0))
    if finding.state is State.OK and 0 < longest < trust.login_role.token_ttl_seconds:
        seen = (
            f"sys/auth/{path}/tune: max_lease_ttl is {longest} s, which cuts the logins' "
            f"{trust.login_role.token_ttl_seconds} s"
        )
        fix = f"give it back what the server has: `vault auth tune -max-lease-ttl=0 {path}/`"
        finding = Finding("auth-mount", VAULT, State.FAILED, seen, fix)
    yield finding


def auth_config(view: VaultView, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether Vault asks the right API server about tokens, or has the right keys."""
    path = f"auth/{trust.cluster.names.auth_mount}/config"
    found = view.read(path) if _has_mount(view, trust) else None
    wanted = trust.auth_config
    # Newer versions tell whether there is a reviewer's JWT, if not which.
    if found is not None and "token_reviewer_jwt_set" in found:
        wanted = {**wanted, "token_reviewer_jwt_set": trust.mode == "token"}
    yield _compared("auth-config", path, wanted, found)


def role(view: VaultView, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether the role admits istiod, and gives it what it should, and no more."""
    names = trust.cluster.names
    path = f"auth/{names.auth_mount}/role/{names.role}"
    found = view.read(path) if _has_mount(view, trust) else None
    if found is not None:
        # Vault leaves out an audience that is none.
        found = _with_list({"audience": "", **found})
    yield _compared("role", path, trust.role, found)


def other_roles(view: VaultView, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether there are further ways in at the cluster's auth mount."""
    names, path = trust.cluster.names, f"auth/{trust.cluster.names.auth_mount}/role"
    if not _has_mount(view, trust):
        return
    try:
        others = sorted(set(view.list(path)) - {names.role})
    except UnreachableError as error:
        # Stricter tokens than an administrator's may not, and the trust does not rest on it.
        yield Finding("other-roles", VAULT, State.WARNING, str(error), error.fix)
        return
    if others:
        seen = f"{path}: others can log in with {', '.join(others)}"
        fix = f"if nobody needs it, delete it: `vault delete {path}/{others[0]}`"
        yield Finding("other-roles", VAULT, State.WARNING, seen, fix)
        return
    yield Finding("other-roles", VAULT, State.OK, f"{path}: there is no other role")


def _has_mount(view: VaultView, trust: ExpectedTrust) -> bool:
    return trust.cluster.names.auth_mount in view.auth_mounts


def _compared(
    check: str,
    path: str,
    expected: Mapping[str, Any],
    found: Mapping[str, Any] | None,
) -> Finding:
    if found is None:
        return Finding(check, VAULT, State.FAILED, f"{path} is not there", PUT_BACK)
    if faults := differences(expected, found):
        return Finding(check, VAULT, State.FAILED, f"{path}: {'; '.join(faults)}", PUT_BACK)
    return Finding(check, VAULT, State.OK, f"{path} is as the program left it")


def _with_list(role: dict[str, Any]) -> dict[str, Any]:
    """The role with its claims as a list: Vault gives back a text where it was given one."""
    claims = role.get("bound_claims")
    if not isinstance(claims, Mapping) or not isinstance(claims.get("sub"), str):
        return role
    return {**role, "bound_claims": {**claims, "sub": claims["sub"].split(",")}}
