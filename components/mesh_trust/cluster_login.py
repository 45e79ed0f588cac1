"""How the istiod agent of one cluster logs in to Vault, whichever way Vault checks its token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from .agent_rbac import REVIEWER_MODES, AgentRbac, AgentRbacArgs
from .cluster_auth_mount import ClusterAuthMount, ClusterAuthMountArgs
from .cluster_jwt_auth_mount import (
    KEY_SOURCES,
    ClusterJwtAuthMount,
    ClusterJwtAuthMountArgs,
    key_source,
    token_issuer,
)
from .login_role import DEFAULT_TTL_SECONDS, require_token_ttl
from .reviewer_token import require_token_source
from .validation import InvalidInputError, require_audience, require_dns_label, require_one_of

_OF_JWT = (*KEY_SOURCES, "issuer_ca_certificate", "issuer")
_OF_REVIEWER = ("reviewer_name", "reviewer_token", "reviewer_token_secret")
_OF_ROLE = ("audience", "token_ttl_seconds", "token_no_default_policy")


class ClusterLogin(TypedDict):
    """How Vault checks the tokens of a cluster, and what a login is like."""

    reviewer_mode: NotRequired[str]
    """`token` (when absent): Vault asks the cluster, with the token of a reviewer that it keeps;
    `client`: Vault asks the cluster with the token that is to be checked, and keeps none;
    `jwt`: Vault has the public keys of the cluster's token issuer, and asks nobody."""
    reviewer_name: NotRequired[str]
    """Modes `token` and `client`: as in AgentRbacArgs."""
    reviewer_token: NotRequired[str]
    """Mode `token`: as in AgentRbacArgs."""
    reviewer_token_secret: NotRequired[str | None]
    """Mode `token`: as in AgentRbacArgs."""
    issuer_keys: NotRequired[Sequence[str]]
    """Mode `jwt`: as in ClusterJwtAuthMountArgs, and so are the four that follow. Exactly one of
    `issuer_keys`, `jwks_url` and `oidc_discovery_url` is needed."""
    jwks_url: NotRequired[str]
    """Mode `jwt`: URL at which Vault finds the keys, without a token."""
    oidc_discovery_url: NotRequired[str]
    """Mode `jwt`: URL of the issuer, below which Vault finds where the keys are."""
    issuer_ca_certificate: NotRequired[pulumi.Input[str] | None]
    """Mode `jwt`: CA certificates that the certificate of that URL chains to, PEM."""
    issuer: NotRequired[str | None]
    """Mode `jwt`: claim `iss` of the cluster's tokens."""
    audience: NotRequired[str | None]
    """Audience that the agent's token must have; when absent whichever the API server takes, and in
    mode `jwt` the issuer. The token that a pod has by itself has the API server's."""
    token_ttl_seconds: NotRequired[int]
    """Lifetime of a login, in seconds; 3600 when absent, 2764800 (768 hours) at most."""
    token_no_default_policy: NotRequired[bool]
    """Whether a login goes without Vault's policy `default`; false when absent."""


@dataclass(frozen=True)
class ApiServerAccess:
    """The API server that Vault asks about tokens."""

    kubernetes_host: str
    kubernetes_ca_certificate: pulumi.Input[str]


def check_login(login: ClusterLogin) -> str:
    """Checks every field, and gives the reviewer mode.

    Raises:
        InvalidInputError: a field is not usable, or does not belong to the mode.
    """
    mode = require_one_of("reviewer_mode", login.get("reviewer_mode", "token"), REVIEWER_MODES)
    foreign = _OF_REVIEWER if mode == "jwt" else _OF_JWT
    for field in foreign:
        if login.get(field) is not None:
            raise InvalidInputError(field, "…", f"leave it out in reviewer_mode {mode}")
    if "reviewer_name" in login:
        require_dns_label("reviewer_name", login["reviewer_name"])
    require_token_source(mode, login.get("reviewer_token"), login.get("reviewer_token_secret"))
    if mode == "jwt":
        key_source(login)
        token_issuer(login)
    require_audience("audience", login.get("audience"))
    require_token_ttl("token_ttl_seconds", login.get("token_ttl_seconds", DEFAULT_TTL_SECONDS))
    return mode


def reviewer_args(login: ClusterLogin) -> AgentRbacArgs:
    """What an AgentRbac is to know of it."""
    return cast(AgentRbacArgs, _given(login, ("reviewer_mode", *_OF_REVIEWER)))


def auth_mount(
    name: str,
    login: ClusterLogin,
    role: Mapping[str, Any],
    rbac: AgentRbac,
    server: ApiServerAccess | None,
    parent: pulumi.Resource,
) -> ClusterAuthMount | ClusterJwtAuthMount:
    """Registers the auth mount; `role` has those arguments that every kind of it takes.

    `server` is None exactly in reviewer mode `jwt`.
    """
    args: dict[str, Any] = {**role, **_given(login, _OF_ROLE)}
    mode = login.get("reviewer_mode", "token")
    if server is None:
        return ClusterJwtAuthMount(
            name,
            cast(ClusterJwtAuthMountArgs, {**args, **_given(login, _OF_JWT)}),
            opts=pulumi.ResourceOptions(parent=parent),
        )
    args |= {
        "kubernetes_host": server.kubernetes_host,
        "kubernetes_ca_certificate": server.kubernetes_ca_certificate,
        "reviewer_mode": mode,
    }
    if mode == "token":
        args["token_reviewer_jwt"] = rbac.reviewer_jwt
    return ClusterAuthMount(
        name,
        cast(ClusterAuthMountArgs, args),
        opts=pulumi.ResourceOptions(
            parent=parent,
            # No value shows that the agent may review tokens before Vault is told to let it.
            depends_on=[rbac] if mode == "client" else None,
        ),
    )


def _given(login: ClusterLogin, fields: Sequence[str]) -> dict[str, Any]:
    return {field: login[field] for field in fields if field in login}  # type: ignore[literal-required]
