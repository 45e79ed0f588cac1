"""Why a pod of Vault is not ready, from what Kubernetes keeps of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .cluster_access import ClusterAccess
from .readiness import Obstacle, on_one_line
from .secrets_in_text import without_secrets
from .vault_commands import VaultCommands

VAULT_CONTAINER = "vault"

PATIENCE_SECONDS = 60.0
"""For what seldom mends itself: a registry hiccups, or something comes up late."""

UNDER_WAY = ("starting", "not started", "not ready", "probe")
"""Kinds of obstacles that a pod has on its way to being ready."""

_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError")
_NEVER_AN_IMAGE = ("InvalidImageName", "ErrImageNeverPull")
_NOT_MADE = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
_CRASHES = "CrashLoopBackOff"

_PREPARING = (
    "FailedAttachVolume",
    "FailedCreatePodSandBox",
    "FailedMapVolume",
    "FailedMount",
    "NetworkNotReady",
)
"""Events of a kubelet that gets nowhere before the first container starts."""
_PROBES = ("Unhealthy",)

# Labels of Vault's own service registration, where its configuration has one.
_SEALED_LABEL = "vault-sealed"
_INITIALISED_LABEL = "vault-initialized"
# The chart's readiness probe is `vault status`, whose words an event repeats.
_INITIALISED = re.compile(r"\bInitialized +(true|false)\b")
_SEALED = re.compile(r"\bSealed +true\b")

# Only such lines of a log are shown: a development server prints its root token and unseal key.
_ERROR_LINE = re.compile(r'\[ERROR\]|"@level":"error"|^panic:|^fatal error:|^Error\b|^error\b')
# An unseal key has no mark of its own: long runs of letters and digits as no name or path has them.
# One key in a thousand has no digit; none is without a capital, which paths seldom have.
_LONG_RUN = re.compile(r"(?=[a-z0-9+/=]*[A-Z])[A-Za-z0-9+/=]{32,}|[A-Za-z0-9+=]{20,}")


def pod_obstacle(cluster: ClusterAccess, pod: Any, command: str = "mesh-trust") -> Obstacle | None:
    """Why `pod` is not ready, None when it is.

    `command` is how the command starts that initialises and unseals Vault.

    Raises:
        ClusterSilentError: the cluster did not answer.
        pulumi.RunError: it may not be read.
    """
    name = f"{pod.metadata.namespace}/{pod.metadata.name}"
    describe = f"`{cluster.kubectl} describe pod -n {pod.metadata.namespace} {pod.metadata.name}`"
    if pod.status.phase == "Failed":
        return Obstacle(
            "failed",
            f"pod {name} has failed: {on_one_line(pod.status.message or pod.status.reason or '')}",
            f"see {describe}",
            PATIENCE_SECONDS,
        )
    if not pod.spec.node_name:
        return _volume_obstacle(cluster, pod, name) or _unscheduled(cluster, pod, name, describe)
    for status in _statuses(pod):
        found = _container_obstacle(cluster, pod, status, name, describe)
        if found is not None:
            return found
    if _condition(pod, "Ready") == "True":
        return None
    if pod.status.phase == "Pending":
        return _starting(cluster, pod, name, describe)
    return _not_ready(cluster, pod, name, describe, command)


def _unscheduled(cluster: ClusterAccess, pod: Any, name: str, describe: str) -> Obstacle:
    said = next(
        (
            each.message or each.reason
            for each in pod.status.conditions or ()
            if each.type == "PodScheduled" and each.status == "False"
        ),
        None,
    )
    if said is None:
        return Obstacle(
            "no host",
            f"pod {name} has no node yet, and no scheduler has said anything about it",
            f"see that the cluster has a scheduler and nodes: `{cluster.kubectl} get nodes`",
        )
    return Obstacle(
        "unscheduled",
        f"pod {name} is pending: {on_one_line(said)}",
        "give the cluster a node that takes it, or ask for less in values (server.resources, "
        f"server.affinity, server.tolerations); see {describe}",
    )


def _volume_obstacle(cluster: ClusterAccess, pod: Any, name: str) -> Obstacle | None:
    namespace = pod.metadata.namespace
    for volume in pod.spec.volumes or ():
        if volume.persistent_volume_claim is None:
            continue
        wanted = volume.persistent_volume_claim.claim_name
        claim = cluster.claim(namespace, wanted)
        if claim is not None and claim.status.phase == "Bound":
            continue
        if claim is None:
            state = "which does not exist"
        else:
            warning = cluster.last_warning(namespace, claim.metadata.uid)
            state = f"which is {claim.status.phase}" + (f": {warning}" if warning else "")
        return Obstacle(
            "volume",
            f"pod {name} is pending: it needs the volume of claim {namespace}/{wanted}, {state}",
            "give the cluster a default StorageClass, or name one in values "
            "(server.dataStorage.storageClass); "
            f"see `{cluster.kubectl} describe persistentvolumeclaim -n {namespace} {wanted}`",
        )
    return None


def _container_obstacle(
    cluster: ClusterAccess, pod: Any, status: Any, name: str, describe: str
) -> Obstacle | None:
    waiting, terminated = status.state.waiting, status.state.terminated
    reason = waiting.reason if waiting is not None else None
    said = f": {on_one_line(waiting.message)}" if waiting is not None and waiting.message else ""
    if reason in _NO_IMAGE or reason in _NEVER_AN_IMAGE:
        return Obstacle(
            "image",
            f"pod {name} gets no image {status.image} ({reason}{said})",
            f"correct server.image in values, or let the nodes reach its registry; see {describe}",
            0 if reason in _NEVER_AN_IMAGE else PATIENCE_SECONDS,
        )
    if reason in _NOT_MADE:
        return Obstacle(
            "container",
            f"container {status.name} of pod {name} cannot be made ({reason}{said})",
            f"correct values, or make what they name; see {describe}",
            PATIENCE_SECONDS,
        )
    before = status.last_state.terminated
    if terminated is not None and terminated.exit_code != 0:
        return _crash(cluster, pod, status, terminated, name)
    if before is not None and (reason == _CRASHES or (before.exit_code != 0 and not status.ready)):
        return _crash(cluster, pod, status, before, name, is_over=True)
    return None


def _crash(
    cluster: ClusterAccess, pod: Any, status: Any, ended: Any, name: str, *, is_over: bool = False
) -> Obstacle:
    namespace, previous = pod.metadata.namespace, " --previous" if is_over else ""
    log = cluster.log(namespace, pod.metadata.name, status.name, previous=is_over)
    error = last_error(log)
    why = f" ({ended.reason})" if ended.reason not in (None, "Error") else ""
    return Obstacle(
        "crash",
        f"container {status.name} of pod {name} ended with exit code {ended.exit_code}{why}, "
        f"restarts so far: {status.restart_count}" + (f": {error}" if error else ""),
        "correct values; see its log, which may hold the root token: "
        f"`{cluster.kubectl} logs -n {namespace} {pod.metadata.name} -c {status.name}{previous}`",
        PATIENCE_SECONDS,
    )


def _starting(cluster: ClusterAccess, pod: Any, name: str, describe: str) -> Obstacle:
    warning = cluster.last_warning(pod.metadata.namespace, pod.metadata.uid, _PREPARING)
    return Obstacle(
        "not started" if warning else "starting",
        f"pod {name} is being started on node {pod.spec.node_name}"
        + (f": {warning}" if warning else ""),
        f"see {describe}, and that the node is well",
    )


def _not_ready(
    cluster: ClusterAccess, pod: Any, name: str, describe: str, command: str
) -> Obstacle:
    warning = cluster.last_warning(pod.metadata.namespace, pod.metadata.uid, _PROBES)
    is_initialised, is_sealed = _told_state(pod.metadata.labels or {}, warning or "")
    if is_initialised is False:
        return Obstacle(
            "uninitialised",
            f"Vault in pod {name} is not initialised",
            f"run {VaultCommands(command).initialise}",
        )
    if is_initialised and is_sealed:
        return Obstacle(
            "sealed", f"Vault in pod {name} is sealed", f"run {VaultCommands(command).unseal}"
        )
    return Obstacle(
        "probe" if warning else "not ready",
        f"pod {name} runs and is not ready yet" + (f": {warning}" if warning else ""),
        f"see {describe}, and the log of Vault",
    )


def _told_state(labels: Mapping[str, str], probe: str) -> tuple[bool | None, bool]:
    """Whether Vault is initialised, None where it is not told, and whether it is sealed.

    A label says that it is not also of a server that has only started again: that it is not, the
    probe has to say, whose event may be some minutes old.
    """
    is_sealed = labels.get(_SEALED_LABEL) == "true" or bool(_SEALED.search(probe))
    if labels.get(_INITIALISED_LABEL) == "true":
        return True, is_sealed
    told = _INITIALISED.search(probe)
    return None if told is None else told[1] == "true", is_sealed


def last_error(log: str) -> str | None:
    """The last line of `log` that tells of an error, without anything that may be a secret."""
    lines = [line for line in log.splitlines() if _ERROR_LINE.search(line)]
    return on_one_line(without_secrets(lines[-1], _LONG_RUN), 300) if lines else None


def _statuses(pod: Any) -> Iterator[Any]:
    yield from pod.status.init_container_statuses or ()
    yield from pod.status.container_statuses or ()


def _condition(pod: Any, wanted: str) -> str | None:
    return next((each.status for each in pod.status.conditions or () if each.type == wanted), None)
