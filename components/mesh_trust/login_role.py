"""What every way to log in of a cluster's istiod agent has in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pulumi

from .names import role_name
from .validation import (
    InvalidInputError,
    require_dns_label,
    require_vault_path,
    require_whole_number,
)

DEFAULT_TTL_SECONDS = 3600
# 768 hours: what a Vault allows whose own maximum, and that of the mount, nobody changed. Beyond
# it Vault would cut the lifetime without a word.
MAXIMUM_TTL_SECONDS = 768 * 3600


class LoginRoleArgs(TypedDict):
    """The cluster, the accounts that may log in, and what they get."""

    cluster: str
    """Name of the workload cluster, an RFC 1123 label."""
    policies: Sequence[pulumi.Input[str]]
    """Names of the policies that a login carries; at least one."""
    service_account_names: Sequence[pulumi.Input[str]]
    """Service accounts that may log in; at least one, no wildcard."""
    service_account_namespaces: Sequence[pulumi.Input[str]]
    """Namespaces of those accounts; at least one, no wildcard."""
    token_ttl_seconds: NotRequired[int]
    """Lifetime of a login, in seconds; 3600 when absent, 2764800 (768 hours) at most. A handshake
    takes less than a second."""
    token_no_default_policy: NotRequired[bool]
    """Whether a login goes without Vault's policy `default`, by which a token may look at, renew
    and revoke itself; false when absent."""
    role_name: NotRequired[str]
    """Name of the role; `gen-int-ca-istio-<cluster>-mesh` when absent."""


@dataclass(frozen=True)
class LoginRole:
    """Who may log in, and what they get."""

    mount_path: str
    role_name: str
    service_account_names: list[pulumi.Input[str]]
    service_account_namespaces: list[pulumi.Input[str]]
    policies: Sequence[pulumi.Input[str]]
    token_ttl_seconds: int
    token_no_default_policy: bool | None
    """None: as Vault has it, which adds its policy `default` to every token."""

    @classmethod
    def of(cls, args: Mapping[str, Any], mount_path: str) -> "LoginRole":
        """Reads it from the arguments of a component; `mount_path` is the default one.

        Raises:
            InvalidInputError: a name or lifetime is not usable, or a list is empty.
        """
        cluster = require_dns_label("cluster", args["cluster"])
        if not args["policies"]:
            raise InvalidInputError("policies", args["policies"], "name at least one policy")
        return cls(
            mount_path=require_vault_path("mount_path", args.get("mount_path", mount_path)),
            role_name=require_vault_path("role_name", args.get("role_name", role_name(cluster))),
            service_account_names=_require_labels(
                "service_account_names", args["service_account_names"]
            ),
            service_account_namespaces=_require_labels(
                "service_account_namespaces", args["service_account_namespaces"]
            ),
            policies=args["policies"],
            token_ttl_seconds=require_token_ttl(
                "token_ttl_seconds", args.get("token_ttl_seconds", DEFAULT_TTL_SECONDS)
            ),
            token_no_default_policy=args.get("token_no_default_policy"),
        )


def require_token_ttl(field: str, seconds: int) -> int:
    """Returns `seconds`, the lifetime of a login.

    Raises:
        InvalidInputError: it is less than a minute, more than 768 hours, or no whole number.
    """
    require_whole_number(field, seconds, minimum=60, unit="seconds")
    if seconds > MAXIMUM_TTL_SECONDS:
        raise InvalidInputError(
            field,
            seconds,
            f"use {MAXIMUM_TTL_SECONDS} or less: Vault would cut it to its own maximum, 768 hours",
        )
    return seconds


def _require_labels(field: str, values: Sequence[pulumi.Input[str]]) -> list[pulumi.Input[str]]:
    if not values:
        raise InvalidInputError(field, values, "name at least one; an empty list admits nobody")
    for value in values:
        if isinstance(value, str):
            require_dns_label(field, value)
    return list(values)
