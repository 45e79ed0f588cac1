"""By what means istiod's agents of a cluster get their permissions on Gloo's resources."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from .agent_release import AgentRelease
from .agent_release_args import AgentReleaseArgs, check_agent_release_args
from .validation import InvalidInputError, require_one_of

MEANS = ("resources", "release")


class AgentPermissions(TypedDict):
    """What grants the permissions."""

    by: str
    """`resources`: a ClusterRole and a binding of this program's own; `release`: the Helm release
    of Gloo's agent, and for istiods beyond the first the former as well."""
    release: NotRequired[AgentReleaseArgs]
    """With `release`, where it is required: the release, without account and namespace of istiod,
    which are those of the cluster."""


def release_args(
    permissions: AgentPermissions | None, accounts: Sequence[str], namespace: str
) -> AgentReleaseArgs | None:
    """The release that permits the first of `accounts` what it needs; None: there is none.

    Solo's charts bind a single account.

    Raises:
        InvalidInputError: a field is not usable, or does not go with the others.
    """
    if permissions is None:
        return None
    by, given = require_one_of("by", permissions.get("by"), MEANS), permissions.get("release")
    if by == "resources":
        if given is not None:
            raise InvalidInputError("release", "…", "leave it out where by is resources")
        return None
    if given is None:
        raise InvalidInputError("release", None, "describe the release of Gloo's agent")
    for field in ("istiod_service_account", "istio_namespace"):
        if field in given:
            raise InvalidInputError(
                field, "…", "leave it out of release: it is that of the cluster's istiod"
            )
    args: AgentReleaseArgs = {
        **given,
        "istiod_service_account": accounts[0],
        "istio_namespace": namespace,
    }
    check_agent_release_args(args)
    return args


def permitted_accounts(
    name: str,
    args: AgentReleaseArgs | None,
    accounts: pulumi.Output[Sequence[str]],
    parent: pulumi.Resource,
) -> pulumi.Output[Sequence[str]]:
    """Registers the release; gives `accounts`, of which nobody hears before it is there."""
    if args is None:
        return accounts
    release = AgentRelease(name, args, opts=pulumi.ResourceOptions(parent=parent))
    return pulumi.Output.all(accounts, release.istiod_service_account).apply(
        lambda resolved: list(resolved[0])
    )
