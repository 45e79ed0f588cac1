"""Making a cluster with a fresh or restarted node one in which pods run and find each other."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import requests

from lab.control_plane import SERVICES, ControlPlane
from lab.errors import LabError
from lab.kubernetes_objects import ClusterWriter
from lab.nodes.cluster_access import ClusterAccess
from lab.nodes.images import COREDNS
from lab.nodes.specification import node_name
from lab.nodes.system_objects import SYSTEM_NAMESPACE, dns, storage_class
from lab.servers import Server

SYSTEM_SECONDS = 120.0
"""How long the cluster's own pods may take to be ready."""

OTHERS_SECONDS = 60.0
"""How long is waited for the user's pods, which may have reasons of their own not to be ready."""

_PAUSE_SECONDS = 0.3


def prepare_node(plane: ControlPlane, coredns_version: str, *, storage: bool) -> None:
    """Give a cluster its DNS, and a default StorageClass where `storage` is wanted.

    Raises:
        LabError: the server refuses something.
    """
    with ClusterWriter(plane) as writer:
        writer.apply(dns(f"{COREDNS}:v{coredns_version}", SERVICES))
        if storage:
            writer.apply([storage_class()])


def await_node(
    plane: ControlPlane, node: Server, started: float, step: Callable[[str], None]
) -> None:
    """Return when the node and all its pods are ready; it has started at `started` (seconds).

    What the API server says of pods is what the node said last, maybe before it was stopped.

    Raises:
        LabError: the cluster's own pods are not ready in time.
    """
    cluster = ClusterAccess(plane.url, plane.authority.certificate, plane.admin)
    began = time.monotonic()
    while True:
        waiting = dict(_unready(cluster, plane, started))
        if failure := node.health.failure():
            waiting[f"{SYSTEM_NAMESPACE}/"] = f"{node_name(plane.cluster)} {failure}"
        if not waiting:
            return
        elapsed = time.monotonic() - began
        ours = [reason for name, reason in waiting.items() if name.startswith(SYSTEM_NAMESPACE)]
        if ours and elapsed > SYSTEM_SECONDS:
            raise LabError(
                f"cluster {plane.cluster} is not usable after {SYSTEM_SECONDS:g} s: {ours[0]}; "
                f"see log/{_log(plane)} of the lab"
            )
        if not ours and elapsed > OTHERS_SECONDS:
            return
        step(next(iter(waiting.values())))
        time.sleep(_PAUSE_SECONDS)


def _unready(
    cluster: ClusterAccess, plane: ControlPlane, started: float
) -> Iterator[tuple[str, str]]:
    """Yield the pods that are not ready, with the reason, and the DNS where it has no pod yet."""
    try:
        pods = cluster.ask("GET", "/api/v1/pods")["items"]
    except requests.RequestException as error:
        yield f"{SYSTEM_NAMESPACE}/", f"the API server does not say: {error}"
        return
    if not any(pod["metadata"]["namespace"] == SYSTEM_NAMESPACE for pod in pods):
        yield f"{SYSTEM_NAMESPACE}/", "the cluster's DNS has no pod yet"
    for pod in pods:
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        finished = pod["status"].get("phase") in ("Succeeded", "Failed")
        if not finished and not _is_ready(pod, started):
            yield name, f"waiting for pod {name} on {node_name(plane.cluster)}"


def _is_ready(pod: dict[str, Any], started: float) -> bool:
    status = pod["status"]
    conditions = {each["type"]: each["status"] for each in status.get("conditions", ())}
    if conditions.get("Ready") != "True":
        return False
    return all(
        "running" in each["state"] and _seconds(each["state"]["running"]["startedAt"]) >= started
        for each in status.get("containerStatuses", ())
    )


def _seconds(moment: str) -> float:
    # The API server cuts fractions of a second off.
    return datetime.fromisoformat(moment).timestamp() + 1


def _log(plane: ControlPlane) -> str:
    return f"node-{plane.cluster}-kubelet.log"
