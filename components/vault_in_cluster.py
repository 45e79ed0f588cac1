"""Looks whether a Vault that was installed in a cluster is ready: StatefulSet, pod, Service."""

from dataclasses import dataclass, replace
from typing import Any

from .cluster_access import ClusterAccess, ClusterRefusedError, ClusterSilentError
from .cluster_obstacle import cluster_obstacle
from .readiness import Obstacle, Ready
from .vault_health import health_obstacle
from .vault_pod import PATIENCE_SECONDS, UNDER_WAY, pod_obstacle
from .vault_values import VaultObjects

_GONE_SECONDS = 15.0
"""Patience with what Helm has made at once, or nobody brings back."""


@dataclass(frozen=True)
class VaultInCluster:
    """The Vault of a chart's release: one pod of a StatefulSet, and a Service."""

    cluster: ClusterAccess
    objects: VaultObjects

    def look(self) -> Ready | Obstacle:
        """Looks once, in the order in which the objects come about."""
        try:
            return self._look()
        except (ClusterSilentError, ClusterRefusedError) as error:
            return cluster_obstacle(error, self.cluster.kubectl)

    def address(self) -> str | None:
        """The address as the Service has it, whether or not Vault answers; None: it has none.

        Raises:
            ClusterRefusedError: the cluster may not be read.
        """
        if self.objects.service_type != "LoadBalancer":
            return self.objects.address_inside
        try:
            service = self.cluster.service(self.objects.namespace, self.objects.name)
        except ClusterSilentError:
            return None
        return None if service is None else self._outside(service)

    def _look(self) -> Ready | Obstacle:
        namespace, name = self.objects.namespace, self.objects.name
        stateful_set = self.cluster.stateful_set(namespace, name)
        if stateful_set is None:
            return self._missing("StatefulSet")
        obstacle = self._stateful_set_obstacle(stateful_set)
        if obstacle is not None:
            return obstacle
        pod = self.cluster.pod(namespace, f"{name}-0")
        if pod is None:
            return self._no_pod(stateful_set)
        if pod.metadata.deletion_timestamp is not None or not _owns(stateful_set, pod):
            return self._pod_of_before()
        is_outdated = _is_outdated(stateful_set, pod)
        obstacle = pod_obstacle(self.cluster, pod)
        if obstacle is not None:
            return self._of_outdated(obstacle) if is_outdated else obstacle
        if is_outdated and stateful_set.spec.update_strategy.type != "OnDelete":
            return self._pod_of_before()
        found = self._behind_service()
        if isinstance(found, Ready) and is_outdated:
            return replace(found, remark=self._outdated())
        return found

    def _behind_service(self) -> Ready | Obstacle:
        objects = self.objects
        service = self.cluster.service(objects.namespace, objects.name)
        if service is None:
            return self._missing("Service")
        if objects.service_type != "LoadBalancer":
            # It cannot be asked from outside.
            return Ready(objects.address_inside)
        address = self._outside(service)
        if address is not None:
            return health_obstacle(address, None) or Ready(address)
        where = f"{objects.namespace}/{objects.name}"
        warning = self.cluster.last_warning(objects.namespace, service.metadata.uid)
        return Obstacle(
            "load balancer refused" if warning else "load balancer",
            f"Service {where} has no load balancer address yet"
            + (f": {warning}" if warning else ""),
            "see that the cluster has something that gives addresses, and that one is free: "
            f"`{self.cluster.kubectl} describe service -n {objects.namespace} {objects.name}`; "
            "or choose another service type",
        )

    def _outside(self, service: Any) -> str | None:
        """Address of the load balancer, where it has one."""
        ingress = service.status.load_balancer.ingress or ()
        host = next((each.ip or each.hostname for each in ingress), None)
        if not host:
            return None
        return f"http://{f'[{host}]' if ':' in host else host}:{self.objects.port}"

    def _missing(self, kind: str) -> Obstacle:
        objects = self.objects
        return Obstacle(
            kind,
            f"{kind} {objects.namespace}/{objects.name} does not exist, though its release does",
            "it was deleted by hand, or this chart names it otherwise: see "
            f"`{self.cluster.helm} get manifest -n {objects.namespace} {objects.release}`, and "
            "install it anew with `pulumi up --target-replace` and the URN of the release",
            _GONE_SECONDS,
        )

    def _stateful_set_obstacle(self, stateful_set: Any) -> Obstacle | None:
        namespace, name = self.objects.namespace, self.objects.name
        if stateful_set.spec.replicas == 0:
            return Obstacle(
                "scaled down",
                f"StatefulSet {namespace}/{name} is scaled to 0 pods",
                f"`{self.cluster.kubectl} scale statefulset -n {namespace} {name} --replicas 1`",
                _GONE_SECONDS,
            )
        if (stateful_set.status.observed_generation or 0) < stateful_set.metadata.generation:
            return Obstacle(
                "controller",
                f"StatefulSet {namespace}/{name} is not taken up by the cluster yet",
                "see that the cluster's controller manager runs",
            )
        return None

    def _no_pod(self, stateful_set: Any) -> Obstacle:
        namespace, name = self.objects.namespace, self.objects.name
        warning = self.cluster.last_warning(namespace, stateful_set.metadata.uid)
        return Obstacle(
            "pod refused" if warning else "no pod",
            f"pod {namespace}/{name}-0 cannot be made: {warning}"
            if warning
            else f"pod {namespace}/{name}-0 does not exist yet",
            "see that quotas and admission allow it, and that the controller manager runs: "
            f"`{self.cluster.kubectl} describe statefulset -n {namespace} {name}`",
        )

    def _pod_of_before(self) -> Obstacle:
        namespace, name = self.objects.namespace, self.objects.name
        return Obstacle(
            "pod of before",
            f"pod {namespace}/{name}-0 is on its way out, and has to end before there is a new one",
            "see what keeps it, its node or a finalizer: "
            f"`{self.cluster.kubectl} describe pod -n {namespace} {name}-0`",
        )

    def _of_outdated(self, obstacle: Obstacle) -> Obstacle:
        """A pod that does not become ready takes up no correction by itself."""
        return replace(
            obstacle,
            reason=f"{obstacle.reason}; and this pod is still that of before the last upgrade",
            advice=f"have it made anew: {self._delete_pod()}",
            patience_seconds=min(
                obstacle.patience_seconds,
                PATIENCE_SECONDS if obstacle.kind in UNDER_WAY else _GONE_SECONDS,
            ),
        )

    def _outdated(self) -> str:
        namespace, name = self.objects.namespace, self.objects.name
        return (
            f"pod {namespace}/{name}-0 still runs as before the last upgrade: the chart leaves it "
            f"to you when it is replaced. {self._delete_pod()} takes the upgrade up; Vault in mode "
            "dev then has forgotten everything, which `pulumi refresh` sees and `pulumi up` mends"
        )

    def _delete_pod(self) -> str:
        objects = self.objects
        return f"`{self.cluster.kubectl} delete pod -n {objects.namespace} {objects.name}-0`"


def _owns(stateful_set: Any, pod: Any) -> bool:
    owners = pod.metadata.owner_references or ()
    return any(owner.uid == stateful_set.metadata.uid for owner in owners)


def _is_outdated(stateful_set: Any, pod: Any) -> bool:
    labels = pod.metadata.labels or {}
    return bool(labels.get("controller-revision-hash") != stateful_set.status.update_revision)
