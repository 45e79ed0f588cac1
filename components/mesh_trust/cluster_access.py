"""Reads a cluster with the official Python client, beside the provider that changes it."""

import shlex
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import Any, TypeVar

import pulumi

from .client_configuration import client_configuration
from .cluster_errors import ClusterSilentError, UnusableAccessError, explained
from .cluster_json import ClusterJson
from .readiness import on_one_line

_T = TypeVar("_T")

IDENTITY_NAMESPACE = "kube-system"
"""The namespace whose uid tells clusters apart: every cluster has it from its start to its end."""

VAULT_READS = (
    "pods, their logs, events, services, stateful sets, persistent volume claims and the namespace "
    f"{IDENTITY_NAMESPACE}"
)
"""What is read to see how an installed Vault does."""

_REQUEST_SECONDS = 10


class ClusterAccess:
    """A client of one cluster, which only reads."""

    def __init__(
        self, kubeconfig: str | None, context: str | None, reads: str = VAULT_READS
    ) -> None:
        """Takes over what a kubeconfig says; asks nothing yet.

        `kubeconfig` is a path or the content of a file. Without it, it is looked for as kubectl
        does, and at last in the pod that the program may run in. `reads` is what the user of the
        kubeconfig has to have the right to read, for who is told that it is missing.

        Raises:
            UnusableAccessError: there is no such file or context, or nothing to connect to.
        """
        from kubernetes import client

        configuration = client_configuration(kubeconfig, context)
        self._client = client.ApiClient(configuration)
        self._json = ClusterJson(self._client)
        self._reads = reads
        quoted = shlex.quote(context) if context else ""
        self.kubectl = f"kubectl --context {quoted}" if context else "kubectl"
        """How a command to this cluster starts."""
        self.helm = f"helm --kube-context {quoted}" if context else "helm"
        """How a command to this cluster's releases starts."""
        self.host = str(configuration.host)
        """Address of the cluster's API server."""

    # What every update asks is read as JSON, since these take more than a second to load. The stubs
    # make every field of an answer optional.
    @cached_property
    def _core(self) -> Any:
        from kubernetes import client

        return client.CoreV1Api(self._client)

    @cached_property
    def _apps(self) -> Any:
        from kubernetes import client

        return client.AppsV1Api(self._client)

    def stateful_set(self, namespace: str, name: str) -> Any | None:
        """The StatefulSet, or None where there is none."""
        return self._found(self._apps.read_namespaced_stateful_set, name, namespace)

    def deployment(self, namespace: str, name: str) -> dict[str, Any] | None:
        """The Deployment, in its JSON form, or None where there is none."""
        return self._json_at(
            "/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
            {"namespace": namespace, "name": name},
        )

    def service(self, namespace: str, name: str) -> Any | None:
        """The Service, or None where there is none."""
        return self._found(self._core.read_namespaced_service, name, namespace)

    def pod(self, namespace: str, name: str) -> Any | None:
        """The pod, or None where there is none."""
        return self._found(self._core.read_namespaced_pod, name, namespace)

    def claim(self, namespace: str, name: str) -> Any | None:
        """The claim of a volume, or None where there is none."""
        return self._found(self._core.read_namespaced_persistent_volume_claim, name, namespace)

    def custom_object(
        self, api_version: str, plural: str, namespace: str, name: str
    ) -> dict[str, Any] | None:
        """The object of a custom resource, in its JSON form, or None where there is none.

        `api_version` is `group/version`; where the cluster has no such resource, there is none.
        """
        return self._json_at(
            f"/apis/{api_version}/namespaces/{{namespace}}/{plural}/{{name}}",
            {"namespace": namespace, "name": name},
        )

    def namespace_uid(self, name: str) -> str | None:
        """The uid of a namespace, or None where there is none."""
        found = self._json_at("/api/v1/namespaces/{name}", {"name": name})
        return None if found is None else str(found["metadata"]["uid"])

    def serves(self, group: str, version: str, plural: str) -> bool:
        """Whether the API server knows a kind of objects that somebody defined."""
        listed = self._json_at("/apis/{group}/{version}", {"group": group, "version": version})
        return listed is not None and any(each["name"] == plural for each in listed["resources"])

    def has_release(self, namespace: str, name: str) -> bool:
        """Whether there is a Helm release of this name, in whichever state.

        Helm keeps each revision as a Secret, unless it was told to keep them elsewhere.
        """
        found = self._json_at(
            "/api/v1/namespaces/{namespace}/secrets",
            {"namespace": namespace},
            labelSelector=f"owner=helm,name={name}",
            fieldSelector="type=helm.sh/release.v1",
            limit=1,
        )
        return bool(found is not None and found["items"])

    def last_warning(
        self, namespace: str, uid: str, reasons: Collection[str] | None = None
    ) -> str | None:
        """The newest warning among the events of the object with `uid`, on a single line.

        With `reasons`, the others are passed over. Kubernetes keeps events for an hour or so.
        """
        selector = f"involvedObject.uid={uid},type=Warning"
        with explained(self._reads):
            events = self._core.list_namespaced_event(
                namespace, field_selector=selector, _request_timeout=_REQUEST_SECONDS
            ).items
        wanted = [each for each in events if reasons is None or each.reason in reasons]
        newest = max(wanted, key=_moment, default=None)
        return on_one_line(newest.message or newest.reason or "") if newest is not None else None

    def log(self, namespace: str, pod: str, container: str, *, previous: bool) -> str:
        """The end of the log of a container, or of its run before; empty where it cannot be had."""
        log = self._found(
            self._core.read_namespaced_pod_log,
            pod,
            namespace,
            container=container,
            previous=previous,
            tail_lines=100,
            # 400: of a run that is collected already, or of none. 5xx: its node does not answer.
            absent=(400, 404, 500, 502, 503, 504),
        )
        return log or ""

    def require_identity(self, uid: str) -> None:
        """Makes sure that this is the cluster whose namespace kube-system has `uid`.

        Raises:
            UnusableAccessError: it is another cluster.
            pulumi.RunError: it cannot be asked.
        """
        try:
            found = self.namespace_uid(IDENTITY_NAMESPACE)
        except ClusterSilentError as error:
            raise pulumi.RunError(f"the cluster of the kubeconfig is not there: {error}") from None
        if found != uid:
            raise UnusableAccessError(
                "context",
                self.host,
                "name the cluster of the kubernetes provider in kubeconfig and context: "
                "they lead to another one",
            )

    def _json_at(self, path: str, names: Mapping[str, str], **query: Any) -> dict[str, Any] | None:
        return self._unless_absent(
            lambda: self._json.get(path, names, query, _REQUEST_SECONDS), (404,)
        )

    def _found(
        self, read: Any, *names: str, absent: tuple[int, ...] = (404,), **options: Any
    ) -> Any | None:
        return self._unless_absent(
            lambda: read(*names, **options, _request_timeout=_REQUEST_SECONDS), absent
        )

    def _unless_absent(self, read: Callable[[], _T], absent: tuple[int, ...]) -> _T | None:
        from kubernetes.client import ApiException

        with explained(self._reads):
            try:
                return read()
            except ApiException as error:
                if error.status in absent:
                    return None
                raise


def _moment(event: Any) -> float:
    moments = (
        event.last_timestamp,
        event.series.last_observed_time if event.series else None,
        event.event_time,
        event.metadata.creation_timestamp,
    )
    return max(float(moment.timestamp()) for moment in moments if moment is not None)
