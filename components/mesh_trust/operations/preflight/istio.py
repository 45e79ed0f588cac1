"""Whether a cluster has the istiods that the configuration says, and as it says."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi

from mesh_trust import InvalidInputError
from mesh_trust.istiod_accounts import istiod_service_accounts
from mesh_trust.istiod_agent_args import check_istiod_agent_args
from mesh_trust.istiod_patch import (
    agent_patch,
    istiod_environment,
    memory_volume,
    refuse_conflicts,
)
from mesh_trust.names import istiod_deployment
from mesh_trust.settings import Cluster

from ..about import About
from ..cluster_client import ClusterClient
from ..finding import Finding
from .deployments import pods_finding, shown
from .installations import installation_findings

APP = "istiod"
"""Label `app` of every istiod's Deployment, by Istio's charts."""

REVISION_LABEL = "istio.io/rev"


def istio_findings(subject: str, client: ClusterClient, cluster: Cluster) -> Iterator[Finding]:
    """Looks at the namespace of istiod, and at the Deployments in it."""
    namespace = cluster.istio.namespace
    there = About("istiod", subject)
    if client.found(f"namespace {namespace}", client.core.read_namespace, namespace) is None:
        # Told by another check.
        return
    with client.reading(f"Deployments in {namespace}"):
        found = client.apps.list_namespaced_deployment(namespace).items
    istiods = {each.metadata.name: each for each in found}
    for revision in cluster.istio.revisions:
        name = istiod_deployment(revision)
        if name not in istiods:
            yield _absent(there, client.context, cluster, revision, _others(found, cluster))
            continue
        yield pods_finding(there, istiods[name], client.context, needed=False)
        yield from _account_findings(subject, client, cluster, revision, istiods[name])
        yield _revision_finding(subject, cluster, revision, istiods[name])
        if cluster.agent is not None and not cluster.has_manifest:
            yield _patch_finding(subject, client, cluster, istiods[name])
    yield from _unknown_istiods(subject, cluster, found)
    ours = [each for each in found if each.metadata.name in _names(cluster)]
    if ours:
        yield from installation_findings(subject, client, cluster, ours)


def _names(cluster: Cluster) -> list[str]:
    return [istiod_deployment(revision) for revision in cluster.istio.revisions]


def _others(found: Sequence[Any], cluster: Cluster) -> list[Any]:
    names = _names(cluster)
    return [
        each
        for each in found
        if (each.metadata.labels or {}).get("app") == APP and each.metadata.name not in names
    ]


def _absent(
    about: About, context: str, cluster: Cluster, revision: str, others: Sequence[Any]
) -> Finding:
    namespace = cluster.istio.namespace
    there = ", ".join(each.metadata.name for each in others)
    return about.failed(
        f"{namespace} has no Deployment {istiod_deployment(revision)} for revision {revision}"
        + (f", but {there}" if there else ""),
        f"install Istio first, or name its revision in {cluster.place}.istioRevisions and its "
        f"namespace in istioNamespace: `kubectl --context {context} get deployment -A -l "
        f"app={APP}`",
    )


def _account_findings(
    subject: str, client: ClusterClient, cluster: Cluster, revision: str, deployment: Any
) -> Iterator[Finding]:
    about = About("istiod-account", subject)
    accounts = istiod_service_accounts(
        {
            "istio_revisions": cluster.istio.revisions,
            "istiod_service_account": cluster.istio.service_account,
        }
    )
    expected = accounts[cluster.istio.revisions.index(revision)]
    runs_as = deployment.spec.template.spec.service_account_name or "default"
    if runs_as != expected:
        yield about.failed(
            f"{shown(deployment)} runs as service account {runs_as}, and Vault's role would admit "
            f"{expected}",
            f"set {cluster.place}.istiodServiceAccount to {runs_as}",
        )
        return
    namespace = cluster.istio.namespace
    read = client.core.read_namespaced_service_account
    what = f"service account {namespace}/{expected}"
    if client.found(what, read, expected, namespace) is None:
        yield about.failed(
            f"there is no service account {namespace}/{expected}, as which istiod is to run",
            "install Istio again: its pods cannot start without it",
        )
    else:
        yield about.ok(f"{shown(deployment)} runs as {expected}, which Vault's role admits")


def _revision_finding(subject: str, cluster: Cluster, revision: str, deployment: Any) -> Finding:
    about = About("istiod-revision", subject)
    told = (deployment.spec.template.metadata.labels or {}).get(REVISION_LABEL)
    if told is not None and told != revision:
        return about.failed(
            f"the pods of {shown(deployment)} are of revision {told}, and its RootTrustPolicy "
            f"would select {revision}",
            f"name {told} in {cluster.place}.istioRevisions, or see who has changed the label "
            f"{REVISION_LABEL}",
        )
    return about.ok(f"{shown(deployment)} is that of revision {revision}")


def _unknown_istiods(subject: str, cluster: Cluster, found: Sequence[Any]) -> Iterator[Finding]:
    about = About("istiod-revision", subject)
    for each in _others(found, cluster):
        told = (each.metadata.labels or {}).get(REVISION_LABEL, "unknown")
        yield about.warning(
            f"{shown(each)} (revision {told}) is not in the configuration, and gets no CA from "
            "Vault: its workloads will not be trusted by the others",
            f"list its revision in {cluster.place}.istioRevisions, or take it away",
        )


def _patch_finding(
    subject: str, client: ClusterClient, cluster: Cluster, deployment: Any
) -> Finding:
    """Whether the agent can be put into the Deployment, as IstiodAgent does it."""
    about = About("istiod-patch", subject)
    live: Mapping[str, Any] = client.api.sanitize_for_serialization(deployment)
    assert cluster.agent is not None
    agent = check_istiod_agent_args(cluster.agent.args).agent
    try:
        volume = memory_volume(live)
        environment = f"{deployment.metadata.name}-agent-environment"
        spec = agent_patch(agent, volume, environment, "")
        refuse_conflicts(live, spec, istiod_environment(volume))
    except (pulumi.RunError, InvalidInputError) as error:
        seen, found, fix = str(error).rpartition("; ")
        return about.failed(seen or fix, fix if found else "see docs/istiod-agent.md")
    return about.ok(f"the agent fits into {shown(deployment)}, beside what others have there")
