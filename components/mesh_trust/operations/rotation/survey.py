"""Looks at what a rotation would roll, before anything is written."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from mesh_trust.names import istiod_deployment
from mesh_trust.settings import Cluster

from ..cluster_client import ClusterClient
from ..generations import Generation, named_after
from ..istiod_chain import IstiodChain, istiod_chain
from ..unreachable import UnreachableError
from .budgets import budgets_of, impossible
from .choice import Applications
from .marks import Mark, Progress
from .rollout import replicas, rollout_obstacle
from .workload import Workload, has_sidecar


@dataclass(frozen=True)
class Planned:
    """A Deployment that is part of a rotation, or is to be."""

    workload: Workload
    mark: Mark
    remark: str
    """What is known of it, for people."""


@dataclass(frozen=True)
class Survey:
    """One cluster."""

    cluster: str
    planned: list[Planned] = field(default_factory=list)
    """In the order in which they are rolled: istiods first."""
    left_out: list[str] = field(default_factory=list)
    """What is not rolled, and why, a line each."""
    problems: list[str] = field(default_factory=list)
    """What has to be mended first, a line each."""
    lacking: set[str] = field(default_factory=set)
    """Namespaces that were named and are not there."""


def survey(
    clusters: Sequence[Cluster],
    generations: tuple[Generation, ...],
    applications: Applications | None,
) -> list[Survey]:
    """Looks at all of `clusters`, side by side.

    Raises:
        OperationError: what is asked for cannot be understood.
    """
    with ThreadPoolExecutor(len(clusters)) as threads:
        looks = [threads.submit(_look, each, generations, applications) for each in clusters]
    found = [each.result() for each in looks]
    if applications is not None:
        for namespace in sorted(set.intersection(*(each.lacking for each in found))):
            found[0].problems.append(
                f"--namespace: {namespace!r} is not valid; name one that is there: none of the "
                "clusters has it"
            )
    return found


def _look(
    cluster: Cluster, generations: tuple[Generation, ...], applications: Applications | None
) -> Survey:
    seen = Survey(cluster.name)
    try:
        client = ClusterClient(cluster.connection)
        for revision in cluster.istio.revisions:
            name = istiod_deployment(revision)
            workload = Workload(cluster.name, client, cluster.istio.namespace, name, is_istiod=True)
            _look_at_istiod(workload, generations, seen)
        if applications is not None:
            seen.lacking.update(applications.lacking_in(client))
            for each in applications.in_cluster(cluster.name, client):
                _look_at_application(each, seen)
    except UnreachableError as error:
        seen.problems.append(f"cluster {cluster.name}: {error}; {error.fix}")
    return seen


def _look_at_istiod(workload: Workload, generations: tuple[Generation, ...], seen: Survey) -> None:
    deployment = workload.read()
    mark = Mark.of(deployment)
    if not _can_be_rolled(workload, deployment, seen):
        return
    # One that a rotation has rolled may be on its way.
    if mark.progress is Progress.ROLLED:
        seen.planned.append(Planned(workload, mark, "its pods are being replaced"))
        return
    obstacle = rollout_obstacle(workload, deployment)
    if obstacle is not None:
        seen.problems.append(
            f"cluster {workload.cluster}: {workload} has to be well before it is rolled: "
            f"{obstacle.reason}; {obstacle.advice}"
        )
        return
    chains = chains_of(workload, deployment, generations)
    remark = "; ".join(described(each, generations) for each in chains)
    seen.planned.append(Planned(workload, mark, remark))


def _look_at_application(workload: Workload, seen: Survey) -> None:
    deployment = workload.read()
    if not _can_be_rolled(workload, deployment, seen):
        return
    if not any(has_sidecar(each) for each in workload.pods(deployment)):
        # Decided by pods, as rules of injection are many, and what was not injected has no
        # certificate to renew.
        seen.left_out.append(f"{workload}: none of its pods has Istio's sidecar")
        return
    budgets = budgets_of(workload, deployment)
    obstacles = [impossible(workload, deployment, each) for each in budgets]
    found = [f"cluster {workload.cluster}: {each}" for each in obstacles if each is not None]
    seen.problems.extend(found)
    if not found:
        names = ", ".join(
            f"{each.metadata.name} (allows {each.status.disruptions_allowed} disruptions now)"
            for each in budgets
        )
        remark = f"PodDisruptionBudget {names}" if names else "no PodDisruptionBudget"
        seen.planned.append(Planned(workload, Mark.of(deployment), remark))


def _can_be_rolled(workload: Workload, deployment: Any, seen: Survey) -> bool:
    if replicas(deployment) == 0:
        seen.left_out.append(
            f"{workload}: it has no replicas, and gets a new certificate when it has some again"
        )
        return False
    if deployment.spec.paused:
        seen.problems.append(
            f"cluster {workload.cluster}: the rollout of {workload} is paused; "
            f"`{workload.kubectl} rollout resume deployment/{workload.name}`"
        )
        return False
    return True


def chains_of(
    workload: Workload, deployment: Any, generations: tuple[Generation, ...]
) -> list[IstiodChain]:
    """What each pod of an istiod presents.

    Raises:
        UnreachableError: one cannot be seen.
    """
    roots = [each.certificate for each in generations]
    return [
        istiod_chain(workload.client, workload.namespace, pod.metadata.name, roots)
        for pod in workload.pods(deployment)
    ]


def described(chain: IstiodChain, generations: tuple[Generation, ...]) -> str:
    """A chain, for people."""
    if chain.root is None:
        below = f"below none of the stack's roots ({chain.fault})"
    else:
        below = f"below root {named_after(chain.root, generations)}"
    return f"CA key {chain.key_id}, {below}"
