"""When a Deployment is ready: its controller has rolled out the version last written."""

from collections.abc import Iterator

from lab.plugins.kubernetes.cluster import ApiError, Cluster
from lab.plugins.kubernetes.objects import (
    annotation,
    condition,
    is_owned_by,
    items,
    lookup,
    name_of,
    namespace_of,
    text,
    whole,
)
from lab.plugins.kubernetes.readiness import Observation, Readiness, fetch
from lab.plugins.provider.values import Properties

_REVISION = "deployment.kubernetes.io/revision"
_FIRST_REVISION = "1"


def _observe(cluster: Cluster, written: Properties) -> Observation:
    deployment = fetch(cluster, written)
    revision = annotation(deployment, _REVISION)
    replica_set = _replica_set(cluster, deployment, revision)
    unavailability = [*_unavailability(deployment, replica_set, revision)]
    pending_claims = _pending_claims(cluster, deployment)
    is_reconciled = bool(revision) and (
        whole(deployment, "status", "observedGeneration")
        == whole(deployment, "metadata", "generation")
    )
    if is_reconciled and not unavailability and not pending_claims:
        return Observation(deployment, is_ready=True)
    shortcomings = (
        *_failed_conditions(deployment),
        *_unbound(pending_claims),
        *unavailability,
        *(_pod_errors(cluster, replica_set) if replica_set is not None else ()),
    )
    return Observation(deployment, is_ready=False, shortcomings=shortcomings)


def _replica_set(cluster: Cluster, deployment: Properties, revision: str) -> Properties | None:
    for candidate in cluster.objects("apps/v1", "ReplicaSet", namespace_of(deployment)):
        if is_owned_by(candidate, deployment) and annotation(candidate, _REVISION) == revision:
            return candidate
    return None


def _pending_claims(cluster: Cluster, deployment: Properties) -> list[str]:
    claimed = {
        text(volume, "persistentVolumeClaim", "claimName")
        for volume in items(deployment, "spec", "template", "spec", "volumes")
    } - {""}
    if not claimed:
        return []
    return [
        name_of(claim)
        for claim in cluster.objects("v1", "PersistentVolumeClaim", namespace_of(deployment))
        if name_of(claim) in claimed and text(claim, "status", "phase") != "Bound"
    ]


def _unavailability(
    deployment: Properties, replica_set: Properties | None, revision: str
) -> Iterator[str]:
    is_first = revision == _FIRST_REVISION
    if text(condition(deployment, "Available"), "status") != "True":
        yield "Minimum number of live Pods was not attained"
    elif not is_first and not _has_new_replica_set(deployment):
        yield "Minimum number of Pods to consider the application live was not attained"
    elif not _has_enough_pods(replica_set):
        yield (
            "Minimum number of Pods to consider the application live was not attained"
            if is_first
            else "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not "
            "become live"
        )


def _has_new_replica_set(deployment: Properties) -> bool:
    progress = condition(deployment, "Progressing")
    return (
        text(progress, "status") == "True" and text(progress, "reason") == "NewReplicaSetAvailable"
    )


def _has_enough_pods(replica_set: Properties | None) -> bool:
    if replica_set is None:
        return False
    wanted = whole(replica_set, "spec", "replicas")
    ready = whole(replica_set, "status", "readyReplicas")
    return (ready or 0) >= (1 if wanted is None else wanted)


def _failed_conditions(deployment: Properties) -> Iterator[str]:
    for kind in ("Progressing", "Available"):
        found = condition(deployment, kind)
        if text(found, "status") != "True" and text(found, "reason") and text(found, "message"):
            yield f"[{text(found, 'reason')}] {text(found, 'message')}"


def _unbound(claims: list[str]) -> Iterator[str]:
    if claims:
        yield f'Failed to bind PersistentVolumeClaim(s): "{",".join(claims)}"'


def _pod_errors(cluster: Cluster, replica_set: Properties) -> list[str]:
    try:
        pods = cluster.objects("v1", "Pod", namespace_of(replica_set))
    except ApiError as error:
        # Without the right to look at pods there is less to say, but the outcome is the same.
        return [f"cannot look at the Pods: {error}"]
    return [message for pod in pods if is_owned_by(pod, replica_set) for message in _pod_error(pod)]


def _pod_error(pod: Properties) -> Iterator[str]:
    """Yield why a pod does not get on, looking no further than the first step it is stuck at."""
    if text(condition(pod, "PodScheduled"), "status") != "True":
        return
    for kind in ("Initialized", "Ready"):
        found = condition(pod, kind)
        if text(found, "status") == "True" or not found:
            continue
        causes = [
            cause
            for status in items(pod, "status", "containerStatuses")
            if status.get("ready") is not True
            for cause in _container_errors(status)
        ]
        message = text(found, "message")
        if causes or message:
            yield f"[Pod {_pod_name(pod)}]: {message if text(found, 'reason') else ''}" + (
                "; ".join(causes)
            )
        return


def _container_errors(status: Properties) -> Iterator[str]:
    reason = text(status, "state", "waiting", "reason")
    if reason and reason != "ContainerCreating":
        yield f"[{reason}] {text(status, 'state', 'waiting', 'message')}"
    name = text(status, "name")
    ended = lookup(status, "state", "terminated")
    reason = text(ended, "reason")
    if reason:
        message = text(ended, "message")
        yield (
            f"[{reason}] {message}"
            if message
            else f'container "{name}" completed with exit code {whole(ended, "exitCode")}'
        )
    last = lookup(status, "lastState", "terminated")
    if last is not None:
        yield (
            f'container "{name}" terminated at {text(last, "finishedAt")} '
            f"({text(last, 'reason')}: exit code {whole(last, 'exitCode')})"
        )


def _pod_name(pod: Properties) -> str:
    namespace = namespace_of(pod)
    return name_of(pod) if namespace in ("", "default") else f"{namespace}/{name_of(pod)}"


READINESS = Readiness(_observe, late="'{name}' timed out waiting to be Ready", on_read=True)
