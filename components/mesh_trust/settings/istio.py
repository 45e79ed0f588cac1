"""What the stack's configuration says of a cluster's Istio installation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh_trust import InvalidInputError
from mesh_trust.names import DEFAULT_REVISION, ISTIO_NAMESPACE, istiod_service_account
from mesh_trust.validation import require_dns_label

from .problems import Problems
from .values import require_label

ISTIO_FIELDS = ("istioRevisions", "istioNamespace", "istiodServiceAccount")
"""Fields of a cluster that say what Istio there is."""


@dataclass(frozen=True)
class Istio:
    """The istiods of one cluster, which trust the same root."""

    revisions: tuple[str, ...]
    """At least one, each once."""
    namespace: str
    service_account: str | None
    """Of the only revision; None: those that Istio gives to the revisions."""
    place: str
    """Where the configuration describes the cluster, for messages."""


def load_istio(fields: Mapping[str, Any], place: str, problems: Problems) -> Istio:
    """Reads it from the cluster's `fields`; messages name them below `place`."""
    revisions = _revisions(fields, place, problems)
    namespace = problems.value(
        ISTIO_NAMESPACE,
        require_label,
        f"{place}.istioNamespace",
        fields.get("istioNamespace", ISTIO_NAMESPACE),
    )
    account = None
    if "istiodServiceAccount" in fields:
        field, value = f"{place}.istiodServiceAccount", fields["istiodServiceAccount"]
        account = problems.value(None, require_label, field, value)
        if len(revisions) > 1:
            fix = "leave it out with several revisions: each has an account of its own"
            problems.note(InvalidInputError(field, value, fix))
    return Istio(revisions, namespace, account, place)


def _revisions(fields: Mapping[str, Any], place: str, problems: Problems) -> tuple[str, ...]:
    field = f"{place}.istioRevisions"
    given = fields.get("istioRevisions", [DEFAULT_REVISION])
    if not isinstance(given, list) or not given:
        problems.note(InvalidInputError(field, given, "list at least one revision"))
        return ()
    read = [problems.value(None, _revision, field, revision) for revision in given]
    revisions = tuple(revision for revision in read if revision is not None)
    for index, revision in enumerate(revisions):
        if revision in revisions[:index]:
            problems.note(InvalidInputError(field, revision, "list each revision once"))
    return revisions


def _revision(field: str, value: object) -> str:
    revision = require_label(field, value)
    # Its Deployment and its account are named after it.
    require_dns_label(field, istiod_service_account(revision))
    return revision
