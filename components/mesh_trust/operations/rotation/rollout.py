"""How far the rollout of a Deployment has come, and what it waits for."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from mesh_trust.readiness import Obstacle, on_one_line

from .workload import Workload

_STUCK_SECONDS = 10.0
"""Patience with a rollout that its controller has given up: what it says may be of the last one."""
_GRACE_SECONDS = 30
"""How long a pod may take to end where it does not say so itself."""
_STARTING = ("ContainerCreating", "PodInitializing")


def rollout_obstacle(workload: Workload, deployment: Any) -> Obstacle | None:
    """What is in the way of the rollout of `deployment`, None when it is complete.

    Raises:
        UnreachableError: its pods cannot be read.
    """
    spec, status = deployment.spec, deployment.status
    advice = f"see `{workload.kubectl} describe deployment {workload.name}`, and its pods"
    if (status.observed_generation or 0) < deployment.metadata.generation:
        return Obstacle(
            "unseen",
            "its cluster has not looked at it yet",
            "see that the cluster's controller manager runs",
        )
    wanted = replicas(deployment)
    updated, available = status.updated_replicas or 0, status.available_replicas or 0
    old = (status.replicas or 0) - updated
    if updated >= wanted and old <= 0 and available >= updated:
        return None
    counts = f"{available} of {wanted} pods available, {updated} of them new, {max(old, 0)} old"
    reasons = "".join(f"; {each}" for each in _reasons(workload.pods(deployment)))
    if _has_given_up(status):
        seconds = spec.progress_deadline_seconds
        reason = f"it has not come further for {seconds} s: {counts}{reasons}"
        return Obstacle("given up", reason, advice, _STUCK_SECONDS)
    return Obstacle("rolling", f"{counts}{reasons}", advice)


def completed(deployment: Any) -> datetime | None:
    """When its last rollout was complete, but for pods that were still to end.

    None: it is under way, or its cluster does not say, which it does not without a
    progressDeadlineSeconds.
    """
    if (deployment.status.observed_generation or 0) < deployment.metadata.generation:
        return None
    for each in deployment.status.conditions or ():
        if each.type == "Progressing" and each.reason == "NewReplicaSetAvailable":
            moment: datetime = each.last_update_time
            return moment
    return None


def time_to_end(deployment: Any) -> timedelta:
    """How long a pod of it may run on after its end was asked for."""
    seconds = deployment.spec.template.spec.termination_grace_period_seconds
    return timedelta(seconds=_GRACE_SECONDS if seconds is None else seconds)


def replicas(deployment: Any) -> int:
    """How many pods it is to have."""
    wanted = deployment.spec.replicas
    return 1 if wanted is None else int(wanted)


def _has_given_up(status: Any) -> bool:
    return any(
        each.type == "Progressing" and each.reason == "ProgressDeadlineExceeded"
        for each in status.conditions or ()
    )


def _reasons(pods: list[Any]) -> Iterator[str]:
    for pod in pods:
        for condition in pod.status.conditions or ():
            if condition.type == "PodScheduled" and condition.status == "False":
                yield f"pod {pod.metadata.name}: {on_one_line(condition.message or '', 150)}"
        statuses = (
            *(pod.status.init_container_statuses or ()),
            *(pod.status.container_statuses or ()),
        )
        for each in statuses:
            waiting = each.state.waiting
            if waiting is not None and waiting.reason not in (None, *_STARTING):
                said = f": {on_one_line(waiting.message, 150)}" if waiting.message else ""
                where = f"container {each.name} of pod {pod.metadata.name}"
                yield f"{where} waits ({waiting.reason}{said})"
