"""A Deployment that a rotation rolls, and its pods."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes.client import ApiException

from ..cluster_client import ClusterClient
from ..unreachable import UnreachableError
from .marks import FIELD_MANAGER

SIDECAR = "istio-proxy"
"""Istio's container, or its init container where sidecars are such."""

ENDED = ("Succeeded", "Failed")
"""Phases of pods whose containers run no more and never will."""

_READS = "Deployments, ReplicaSets, pods and PodDisruptionBudgets"
_MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Workload:
    """A Deployment by its name."""

    cluster: str
    client: ClusterClient
    namespace: str
    name: str
    is_istiod: bool = False

    def __str__(self) -> str:
        kind = "istiod" if self.is_istiod else "Deployment"
        return f"{kind} {self.namespace}/{self.name}"

    @property
    def kubectl(self) -> str:
        """How a command to its cluster and namespace starts."""
        return f"kubectl --context {self.client.context} -n {self.namespace}"

    def read(self) -> Any:
        """The Deployment as it is.

        Raises:
            UnreachableError: it cannot be read, or is not there.
        """
        read = self.client.apps.read_namespaced_deployment
        deployment = self.client.found(_READS, read, self.name, self.namespace)
        if deployment is None:
            raise UnreachableError(
                f"there is no Deployment {self.namespace}/{self.name}",
                f"see what there is: `{self.kubectl} get deployments`",
            )
        return deployment

    def pods(self, deployment: Any) -> list[Any]:
        """Those of `deployment` that have not ended, and are not about to."""
        selector = label_selector(deployment.spec.selector)
        with self.client.reading(_READS):
            sets = self.client.apps.list_namespaced_replica_set(
                self.namespace, label_selector=selector
            ).items
            pods = self.client.core.list_namespaced_pod(
                self.namespace, label_selector=selector
            ).items
        own = {each.metadata.uid for each in sets if _owner(each) == deployment.metadata.uid}
        return [each for each in pods if _owner(each) in own and is_there_to_stay(each)]

    def change(self, deployment: Any, change: Mapping[str, Any]) -> Any | None:
        """Changes what `deployment` was read from, unless others have changed it since.

        Gives what it is then; None: others have.

        Raises:
            UnreachableError: it cannot be changed.
        """
        version = {"resourceVersion": deployment.metadata.resource_version}
        whole = {**change, "metadata": {**change["metadata"], **version}}
        try:
            with self.client.reading("and to patch Deployments"):
                try:
                    return self.client.apps.patch_namespaced_deployment(
                        self.name,
                        self.namespace,
                        whole,
                        field_manager=FIELD_MANAGER,
                        _content_type=_MERGE,
                    )
                except ApiException as error:
                    if error.status == 409:
                        return None
                    raise
        except ApiException:
            raise UnreachableError(
                f"Deployment {self.namespace}/{self.name} is gone",
                f"see what there is: `{self.kubectl} get deployments`",
            ) from None


def is_there_to_stay(pod: Any) -> bool:
    """Whether it has not ended and is not about to; one that was evicted is kept for long."""
    return pod.metadata.deletion_timestamp is None and pod.status.phase not in ENDED


def has_sidecar(pod: Any) -> bool:
    """Whether Istio's proxy runs in it."""
    return proxy_of(pod) is not None


def proxy_of(pod: Any) -> Any | None:
    """Istio's proxy among the containers of `pod`, if it has one."""
    containers = [*pod.spec.containers, *(pod.spec.init_containers or ())]
    return next((each for each in containers if each.name == SIDECAR), None)


def label_selector(selector: Any) -> str:
    """A LabelSelector as requests have it."""
    parts = [f"{key}={value}" for key, value in (selector.match_labels or {}).items()]
    for each in selector.match_expressions or ():
        values = ",".join(each.values or ())
        parts.append(
            {
                "In": f"{each.key} in ({values})",
                "NotIn": f"{each.key} notin ({values})",
                "Exists": each.key,
                "DoesNotExist": f"!{each.key}",
            }[each.operator]
        )
    return ",".join(parts)


def _owner(child: Any) -> str | None:
    owners = child.metadata.owner_references or ()
    return next((each.uid for each in owners if each.controller), None)
