"""The last errors that istiod and its agent have logged."""

import re
from collections.abc import Iterator
from typing import Any

from kubernetes.client import ApiException

from mesh_trust import secrets_in_text
from mesh_trust.agent_containers import AGENT, DISCOVERY
from mesh_trust.readiness import on_one_line

from ..cluster_client import ClusterClient
from ..expected import ExpectedTrust
from ..finding import Finding, State

_SECONDS, _LINES = 3600, 2000
_LONGEST = 240

# Istio's own form, JSON (Istio's and zap's, which Gloo logs with), and that of Kubernetes' clients.
_ERROR = re.compile(
    r"\t(error|fatal)\t|\"level\":\s*\"(error|fatal|panic|dpanic)\"|^[EF]\d{4} \d\d:\d\d"
)
# Longer than names of pods and of types, which help.
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=_-]{64,}")


def istiod_log(client: ClusterClient, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether istiod has logged errors in the last hour."""
    yield from _errors("istiod-log", DISCOVERY, client, trust)


def agent_log(client: ClusterClient, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether its agent has."""
    yield from _errors("agent-log", AGENT, client, trust)


def errors_in(log: str) -> list[str]:
    """The lines of `log` of level error or worse, each without what may be a token or a key."""
    return [without_secrets(line) for line in log.splitlines() if _ERROR.search(line)]


def without_secrets(line: str) -> str:
    """The line on a single line, with what may be a token or a key hidden."""
    return on_one_line(secrets_in_text.without_secrets(line, _LONG_RUN), _LONGEST)


def _errors(
    check: str, container: str, client: ClusterClient, trust: ExpectedTrust
) -> Iterator[Finding]:
    namespace, count = trust.cluster.istio.namespace, 0
    for pod in pods(client, trust):
        name = pod.metadata.name
        if container not in {each.name for each in pod.spec.containers}:
            continue
        count += 1
        found = errors_in(_log(client, namespace, name, container))
        if found:
            seen = (
                f"container {container} of pod {namespace}/{name} has logged {len(found)} errors "
                f"in the last hour, the last: {found[-1]}"
            )
            command = f"kubectl --context {client.context} logs -n {namespace} {name} {container}"
            yield Finding(check, trust.subject, State.WARNING, seen, f"see `{command}`")
        else:
            seen = f"container {container} of pod {namespace}/{name} logged no error for an hour"
            yield Finding(check, trust.subject, State.OK, seen)
    if not count:
        seen = f"no pod with a container {container} runs in {namespace}, so that there is no log"
        fix = f"see `kubectl --context {client.context} get pods -n {namespace} -l app=istiod`"
        yield Finding(check, trust.subject, State.WARNING, seen, fix)


def pods(client: ClusterClient, trust: ExpectedTrust) -> list[Any]:
    """The running pods of istiod, of all revisions that are configured.

    Raises:
        UnreachableError: they cannot be read.
    """
    revisions = ",".join(trust.cluster.istio.revisions)
    namespace = trust.cluster.istio.namespace
    with client.reading(f"pods in {namespace}"):
        found = client.core.list_namespaced_pod(
            namespace, label_selector=f"app=istiod,istio.io/rev in ({revisions})"
        ).items
    return [each for each in found if each.status.phase == "Running"]


def _log(client: ClusterClient, namespace: str, pod: str, container: str) -> str:
    with client.reading(f"logs of pods in {namespace}"):
        try:
            log = client.core.read_namespaced_pod_log(
                pod, namespace, container=container, since_seconds=_SECONDS, tail_lines=_LINES
            )
        except ApiException as error:
            # 400: the container has not started yet. 404: the pod has just gone.
            if error.status not in (400, 404):
                raise
            return ""
    return log or ""
