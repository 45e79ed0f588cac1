"""What Istio was installed with, against what the configuration says of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mesh_trust.istiod_overlay import LIFECYCLE_MANAGER, OPERATOR
from mesh_trust.settings import Cluster

from ..about import About
from ..cluster_client import ClusterClient
from ..finding import Finding
from .deployments import shown

DEPLOYMENT, ISTIO_OPERATOR, LIFECYCLE = "deployment", "istio-operator", "lifecycle-manager"

_HELM_RELEASE = "meta.helm.sh/release-name"
_OWNING_RESOURCE = "install.operator.istio.io/owning-resource"

_KEPT_BY_ISTIOCTL = "installed-state"
"""Begins the name of an IstioOperator that `istioctl install` has left for itself to read."""

_OF_LIFECYCLE_MANAGER = "gm-iop-"
"""Begins the name of the namespaces in which Gloo's lifecycle manager has its operators."""


def installation_findings(
    subject: str, client: ClusterClient, cluster: Cluster, istiods: Sequence[Any]
) -> Iterator[Finding]:
    """Who acts on the Deployments `istiods`, and whether the agent is put where they leave it."""
    about = About("istio-installation", subject)
    actor, seen = _actor(client, istiods)
    configured = None if cluster.agent is None else _configured(cluster)
    if configured is None:
        yield about.ok(f"{seen}; others see to the agent beside it")
    elif configured == actor:
        yield about.ok(f"{seen}, as {cluster.place}.istiodAgent says")
    else:
        yield about.failed(
            f"{seen}, and the configuration says {configured}",
            _advice(cluster, actor, configured),
        )


def _configured(cluster: Cluster) -> str:
    assert cluster.agent is not None
    return str(cluster.agent.args.get("installation", DEPLOYMENT))


def _advice(cluster: Cluster, actor: str, configured: str) -> str:
    field = f"{cluster.place}.istiodAgent"
    if actor == DEPLOYMENT:
        return f"leave out {field}.installation and its manifest: nobody acts on a {configured}"
    return (
        f"set {field}.installation to {actor} and name its manifest: whoever acts on that would "
        "take the agent out of the Deployment again"
    )


def _actor(client: ClusterClient, istiods: Sequence[Any]) -> tuple[str, str]:
    """What has to be given the agent, and how that was seen."""
    names = ", ".join(shown(each) for each in istiods)
    operators = _operators(client)
    managed = [each for each in operators if _is_of_lifecycle_manager(each)]
    if managed:
        return LIFECYCLE, f"Gloo's {LIFECYCLE_MANAGER[1]} acts on {names}: it has {managed[0]}"
    if operators:
        return ISTIO_OPERATOR, f"IstioOperator {operators[0]} is what {names} comes from"
    release = next(filter(None, (_annotations(each).get(_HELM_RELEASE) for each in istiods)), None)
    if release is not None:
        return DEPLOYMENT, f"{names} comes from the Helm release {release}"
    if any(_OWNING_RESOURCE in (each.metadata.labels or {}) for each in istiods):
        return DEPLOYMENT, f"{names} comes from istioctl"
    return DEPLOYMENT, f"{names} stands by itself"


def _operators(client: ClusterClient) -> list[str]:
    """Namespace and name of each IstioOperator that something may act on."""
    group, _, version = OPERATOR[0].partition("/")
    listed = client.found(
        f"IstioOperators (istiooperators.{group})",
        client.custom.list_cluster_custom_object,
        group,
        version,
        "istiooperators",
    )
    if listed is None:
        # Nobody has defined them.
        return []
    places = (each["metadata"] for each in listed["items"])
    return sorted(
        f"{place['namespace']}/{place['name']}"
        for place in places
        if not place["name"].startswith(_KEPT_BY_ISTIOCTL)
    )


def _is_of_lifecycle_manager(place: str) -> bool:
    return place.startswith(_OF_LIFECYCLE_MANAGER)


def _annotations(deployment: Any) -> Mapping[str, str]:
    return deployment.metadata.annotations or {}
