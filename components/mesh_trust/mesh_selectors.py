"""Which Istio installations a RootTrustPolicy applies to."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from .kubernetes_values import require_labels
from .names import ISTIO_NAMESPACE
from .structures import fields_of
from .validation import InvalidInputError, require_dns_label

# What is no more than a character in an expression: one that is escaped, or in brackets.
_CHARACTERS = re.compile(r"\\[^1-9]|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
# What Python's expressions have, and those of Gloo, which is written in Go, do not.
_NOT_IN_GO = re.compile(r"\(\?(?:[=!>#(]|<[=!]|P=)|\\[1-9]|[*+?}]\+")


class IstioMeshSelector(TypedDict):
    """Istio installations: those to which every field applies (Gloo: `applyToMeshes[].istio`)."""

    cluster_selector: Mapping[str, str]
    """Labels of the KubernetesCluster (Gloo: `clusterSelector`); at least one, as without them the
    meshes of every cluster would be meant."""
    namespace: NotRequired[str | None]
    """Namespace of istiod (Gloo: `namespace`); `istio-system` when absent, any when None."""
    selector: NotRequired[Mapping[str, str]]
    """Labels of istiod's Deployment (Gloo: `selector`); any when absent."""
    revision: NotRequired[str]
    """Regular expression for istiod's revision (Gloo: `revision`), in the syntax that Go and Python
    share; any when absent."""


def istiod_selectors(
    cluster_labels: Mapping[str, str],
    namespace: str = ISTIO_NAMESPACE,
    revisions: Sequence[str] | None = None,
) -> list[IstioMeshSelector]:
    """The selectors that pick the istiod in `namespace` of the clusters with `cluster_labels`.

    With `revisions`, those of exactly these revisions, each an RFC 1123 label.

    Raises:
        InvalidInputError: `revisions` is empty, or has something that is no revision.
    """
    selector: IstioMeshSelector = {
        "cluster_selector": cluster_labels,
        "namespace": namespace,
        "selector": {"app": "istiod"},
    }
    if revisions is not None:
        selector["revision"] = revision_expression(revisions)
    return [selector]


def revision_expression(revisions: Sequence[str]) -> str:
    """A regular expression that matches `revisions` and nothing else.

    It has anchors of its own: Gloo's reference does not say whether a part is enough for a match.

    Raises:
        InvalidInputError: `revisions` is empty, or has something that is no revision.
    """
    if isinstance(revisions, str) or not revisions:
        raise InvalidInputError("revisions", revisions, "list one or more, or leave it out")
    checked = [
        require_dns_label(f"revisions[{place}]", each) for place, each in enumerate(revisions)
    ]
    return f"^({'|'.join(map(re.escape, checked))})$"


def apply_to_meshes(selectors: Sequence[IstioMeshSelector]) -> list[dict[str, Any]]:
    """`spec.applyToMeshes` for `selectors`.

    Raises:
        InvalidInputError: a field is not usable, or the list, or the cluster's labels in a
            selector, is empty: that is every mesh.
    """
    if isinstance(selectors, str) or not isinstance(selectors, Sequence) or not selectors:
        raise InvalidInputError(
            "apply_to_meshes", selectors, "name a selector; an empty list means every mesh"
        )
    return [
        {"istio": _istio(f"apply_to_meshes[{place}]", selector)}
        for place, selector in enumerate(selectors)
    ]


def require_cluster_labels(field: str, value: Mapping[str, str]) -> dict[str, str]:
    """Returns `value`, labels that pick clusters.

    Raises:
        InvalidInputError: there is none, or no cluster can have them.
    """
    if not value:
        raise InvalidInputError(
            field, value, "name a label of the cluster; none means the meshes of every cluster"
        )
    return require_labels(field, value)


def require_expression(field: str, value: str) -> str:
    """Returns `value`, a regular expression that Go and Python both understand.

    Raises:
        InvalidInputError: it is empty, does not compile, or uses what Go does not have: looking
            ahead or behind, references back, and the like.
    """
    fix = "use a regular expression such as ^1-2[0-3]$"
    if not isinstance(value, str) or not value:
        raise InvalidInputError(field, value, f"{fix}, or leave it out")
    try:
        re.compile(value)
    except re.error as error:
        raise InvalidInputError(field, value, f"{fix} ({error})") from None
    foreign = _NOT_IN_GO.search(_CHARACTERS.sub("_", value))
    if foreign:
        raise InvalidInputError(
            field, value, f"{fix}, without {foreign[0]}, which Gloo does not understand"
        )
    return value


def _istio(field: str, selector: IstioMeshSelector) -> dict[str, Any]:
    given = fields_of(field, selector, IstioMeshSelector)
    labels = require_cluster_labels(f"{field}.cluster_selector", given["cluster_selector"])
    istio: dict[str, Any] = {"clusterSelector": labels}
    namespace = selector.get("namespace", ISTIO_NAMESPACE)
    if namespace is not None:
        istio["namespace"] = require_dns_label(f"{field}.namespace", namespace)
    if given.get("selector"):
        istio["selector"] = require_labels(f"{field}.selector", given["selector"])
    if "revision" in given:
        istio["revision"] = require_expression(f"{field}.revision", given["revision"])
    return istio
