"""What the stack's configuration says of who may do what in Vault."""

from dataclasses import dataclass

import pulumi

from components import ClusterLogin, InvalidInputError
from components.agent_rbac import REVIEWER_MODES
from components.cluster_ca import DEFAULT_LIFETIME_DAYS
from components.cluster_ca_checks import ROOT_PATH_LENGTH
from components.login_role import DEFAULT_TTL_SECONDS, require_token_ttl
from components.validation import require_audience, require_one_of
from components.vault_policy import (
    DENIED_SIGNING_PARAMETERS,
    GUIDE,
    LEAST_PRIVILEGE,
    POLICIES,
    require_parameters,
)
from configuration import boolean, whole_number

SIGNING_CAS = ("root", "cluster")


@dataclass(frozen=True)
class Access:
    """What holds for every cluster."""

    policy: str
    """`least-privilege` or `guide`."""
    denied_parameters: tuple[str, ...] | None
    """Parameters that `least-privilege` refuses; None with another policy."""
    signing_ca: str
    """`root`, or `cluster` for a CA of each cluster's own."""
    cluster_ca_lifetime_days: int
    login: ClusterLogin
    """What a cluster's own fields are laid over."""
    administrator: bool
    """Whether there is a user to look after the setup by hand."""
    administrator_password_generation: int


def load_access(config: pulumi.Config, intermediate_lifetime_days: int) -> Access:
    """Reads it from `config`.

    Raises:
        InvalidInputError: a value is not usable, or without effect.
    """
    policy = require_one_of("policy", config.get("policy") or LEAST_PRIVILEGE, POLICIES)
    signing_ca = require_one_of("signingCa", config.get("signingCa") or "root", SIGNING_CAS)
    return Access(
        policy=policy,
        denied_parameters=_denied_parameters(config, policy),
        signing_ca=signing_ca,
        cluster_ca_lifetime_days=_cluster_ca_lifetime(
            config, signing_ca, intermediate_lifetime_days
        ),
        login=_login(config),
        administrator=boolean(config, "administrator"),
        administrator_password_generation=whole_number(
            config, "administratorPasswordGeneration", 1, unit="passwords"
        ),
    )


def require_room_below_root(
    signing_ca: str, root_path_length: int, root_lifetime_days: int, lifetime_days: int
) -> None:
    """Checks that a root that is generated leaves room for CAs of the clusters' own.

    Raises:
        InvalidInputError: it does not.
    """
    if signing_ca != "cluster":
        return
    if root_path_length < ROOT_PATH_LENGTH:
        raise InvalidInputError(
            "signingCa",
            signing_ca,
            f"set rootPathLength to {ROOT_PATH_LENGTH}, as the cluster's CA and istiod's stand "
            "below the root; it is fixed once the root exists",
        )
    if lifetime_days >= root_lifetime_days:
        raise InvalidInputError(
            "clusterCaLifetimeDays",
            lifetime_days,
            f"use less than rootLifetimeDays ({root_lifetime_days}): "
            "a CA must not outlive its root",
        )


def _login(config: pulumi.Config) -> ClusterLogin:
    login = ClusterLogin(
        reviewer_mode=require_one_of(
            "reviewerMode", config.get("reviewerMode") or "token", REVIEWER_MODES
        ),
        token_ttl_seconds=require_token_ttl(
            "tokenTtlSeconds",
            whole_number(config, "tokenTtlSeconds", DEFAULT_TTL_SECONDS, unit="seconds"),
        ),
    )
    audience = config.get("audience")
    if audience:
        login["audience"] = require_audience("audience", audience)
    if boolean(config, "tokenNoDefaultPolicy"):
        login["token_no_default_policy"] = True
    return login


def _denied_parameters(config: pulumi.Config, policy: str) -> tuple[str, ...] | None:
    try:
        names = config.get_object("deniedParameters")
    except pulumi.ConfigTypeError:
        names = config.get("deniedParameters")
    denied = require_parameters(
        "deniedParameters", DENIED_SIGNING_PARAMETERS if names is None else names
    )
    if policy != GUIDE:
        return denied
    if denied != DENIED_SIGNING_PARAMETERS:
        raise InvalidInputError(
            "deniedParameters", list(denied), "leave it out: the guide's policy refuses none"
        )
    return None


def _cluster_ca_lifetime(
    config: pulumi.Config, signing_ca: str, intermediate_lifetime_days: int
) -> int:
    days = whole_number(config, "clusterCaLifetimeDays", DEFAULT_LIFETIME_DAYS)
    if signing_ca == "cluster" and days <= intermediate_lifetime_days:
        raise InvalidInputError(
            "clusterCaLifetimeDays",
            days,
            f"use more than intermediateLifetimeDays ({intermediate_lifetime_days}): "
            "an intermediate must not outlive the CA above it",
        )
    return days
