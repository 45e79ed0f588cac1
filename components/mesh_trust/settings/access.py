"""What the stack's configuration says of who may do what in Vault."""

from dataclasses import dataclass

import pulumi

from mesh_trust import ClusterLogin, InvalidInputError
from mesh_trust.agent_rbac import REVIEWER_MODES
from mesh_trust.cluster_ca import DEFAULT_LIFETIME_DAYS
from mesh_trust.login_role import DEFAULT_TTL_SECONDS, require_token_ttl
from mesh_trust.validation import require_audience, require_one_of
from mesh_trust.vault_policy import (
    DENIED_SIGNING_PARAMETERS,
    GUIDE,
    LEAST_PRIVILEGE,
    POLICIES,
    require_parameters,
)

from .problems import Problems
from .values import boolean, structure, whole_number

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


def load_access(config: pulumi.Config, problems: Problems) -> Access:
    """Reads it from `config`; notes values that are not usable, or without effect."""
    policy = problems.value(
        LEAST_PRIVILEGE, require_one_of, "policy", config.get("policy") or LEAST_PRIVILEGE, POLICIES
    )
    signing_ca = problems.value(
        "root", require_one_of, "signingCa", config.get("signingCa") or "root", SIGNING_CAS
    )
    return Access(
        policy=policy,
        denied_parameters=problems.value(None, _denied_parameters, config, policy),
        signing_ca=signing_ca,
        cluster_ca_lifetime_days=problems.value(
            DEFAULT_LIFETIME_DAYS,
            whole_number,
            config,
            "clusterCaLifetimeDays",
            DEFAULT_LIFETIME_DAYS,
        ),
        login=_login(config, problems),
        administrator=problems.value(False, boolean, config, "administrator"),
        administrator_password_generation=problems.value(
            1, whole_number, config, "administratorPasswordGeneration", 1, unit="passwords"
        ),
    )


def _login(config: pulumi.Config, problems: Problems) -> ClusterLogin:
    login = ClusterLogin(
        reviewer_mode=problems.value(
            "token",
            require_one_of,
            "reviewerMode",
            config.get("reviewerMode") or "token",
            REVIEWER_MODES,
        ),
        token_ttl_seconds=problems.value(DEFAULT_TTL_SECONDS, _token_ttl, config),
    )
    audience = config.get("audience")
    if audience:
        login["audience"] = problems.value(None, require_audience, "audience", audience)
    if problems.value(False, boolean, config, "tokenNoDefaultPolicy"):
        login["token_no_default_policy"] = True
    return login


def _token_ttl(config: pulumi.Config) -> int:
    seconds = whole_number(config, "tokenTtlSeconds", DEFAULT_TTL_SECONDS, unit="seconds")
    return require_token_ttl("tokenTtlSeconds", seconds)


def _denied_parameters(config: pulumi.Config, policy: str) -> tuple[str, ...] | None:
    names = structure(config, "deniedParameters")
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
