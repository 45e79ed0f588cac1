"""Service accounts of a cluster's istiods, the same for Vault's role, RBAC and Gloo's chart."""

from collections.abc import Mapping, Sequence
from typing import Any

from .names import DEFAULT_REVISION, istiod_service_account
from .validation import InvalidInputError, require_dns_label


def istiod_service_accounts(args: Mapping[str, Any]) -> list[str]:
    """The account of each of `istio_revisions`, in their order, or `istiod_service_account`.

    Raises:
        InvalidInputError: a revision or an account is not usable, is there twice, or an account is
            named for several revisions.
    """
    revisions = _revisions(args.get("istio_revisions", (DEFAULT_REVISION,)))
    named = args.get("istiod_service_account")
    if named is not None:
        if len(revisions) > 1:
            raise InvalidInputError(
                "istiod_service_account",
                named,
                "leave it out, or name one revision: each of several has an account of its own",
            )
        return [require_dns_label("istiod_service_account", named)]
    return [
        require_dns_label("istiod_service_account", istiod_service_account(revision))
        for revision in revisions
    ]


def _revisions(revisions: object) -> Sequence[str]:
    if isinstance(revisions, str) or not isinstance(revisions, Sequence) or not revisions:
        raise InvalidInputError("istio_revisions", revisions, "list at least one revision")
    for index, revision in enumerate(revisions):
        require_dns_label("istio_revisions", revision)
        if revision in revisions[:index]:
            raise InvalidInputError("istio_revisions", revision, "list each revision once")
    return revisions
