"""Looks whether a Vault that was installed in a cluster is ready: StatefulSet, pod, Service."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .cluster_access import ClusterAccess
from .cluster_errors import ClusterRefusedError, ClusterSilentError
from .cluster_obstacle import cluster_obstacle
from .readiness import Obstacle, Ready
from .vault_health import health_obstacle
from .vault_pod import PATIENCE_SECONDS, UNDER_WAY, pod_obstacle
from .vault_values import VaultObjects

_GONE_SECONDS = 15.0
"""Patience with what Helm has made at once, or nobody brings back."""


WAITS_FOR_PEOPLE = ("uninitialised", "sealed")
"""Kinds of obstacles that no waiting takes away."""


@dataclass(frozen=True)
class VaultInCluster:
    """The Vault of a chart's release: pods of a StatefulSet, and a Service.

    A development server is ready once it can be worked with. Others are once their pods run: to
    initialise and unseal them is somebody else's work, and a remark says that it is to be done.
    """

    cluster: ClusterAccess
    objects: VaultObjects
    command: str = "mesh-trust"
    """How the command that initialises and unseals Vault starts, for what is advised."""

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
        if self.objects.address_outside is not None:
            return self.objects.address_outside
        if self.objects.service_type != "LoadBalancer":
            return self.objects.address_inside
        try:
            service = self.cluster.service(self.objects.namespace, self.objects.service)
        except ClusterSilentError:
            return None
        return None if service is None else self._outside(service)

    def _look(self) -> Ready | Obstacle:
        namespace, name = self.objects.namespace, self.objects.name
        stateful_set = self.cluster.stateful_set(namespace, name)
        if stateful_set is None:
            return self._missing("StatefulSet", name)
        obstacle = self._stateful_set_obstacle(stateful_set)
        if obstacle is not None:
            return obstacle
        waiting: list[Obstacle] = []
        outdated: list[str] = []
        for number in range(self.objects.replicas):
            pod_name = f"{name}-{number}"
            pod = self.cluster.pod(namespace, pod_name)
            if pod is None:
                return self._no_pod(stateful_set, pod_name)
            if pod.metadata.deletion_timestamp is not None or not _owns(stateful_set, pod):
                return self._pod_of_before(pod_name)
            is_outdated = _is_outdated(stateful_set, pod)
            obstacle = pod_obstacle(self.cluster, pod, self.command)
            if obstacle is not None and self._waits_for_people(obstacle):
                waiting.append(obstacle)
            elif obstacle is not None:
                return self._of_outdated(obstacle, pod_name) if is_outdated else obstacle
            if is_outdated and stateful_set.spec.update_strategy.type != "OnDelete":
                return self._pod_of_before(pod_name)
            if is_outdated:
                outdated.append(pod_name)
        found = self._behind_service()
        remarks = [*told_once(waiting), *map(self._outdated, outdated)]
        if isinstance(found, Ready) and remarks:
            return replace(found, remark="; ".join(remarks))
        return found

    def _waits_for_people(self, obstacle: Obstacle) -> bool:
        return not self.objects.is_development and obstacle.kind in WAITS_FOR_PEOPLE

    def _behind_service(self) -> Ready | Obstacle:
        objects = self.objects
        service = self.cluster.service(objects.namespace, objects.service)
        if service is None:
            return self._missing("Service", objects.service)
        if objects.service_type != "LoadBalancer":
            # It cannot be asked from outside.
            return Ready(objects.address_outside or objects.address_inside)
        address = self._outside(service)
        if address is not None and not objects.is_development:
            # Its name may lead there only later, and what its pods say was seen.
            return Ready(objects.address_outside or address)
        if address is not None:
            return health_obstacle(address, None) or Ready(address)
        where = f"{objects.namespace}/{objects.service}"
        warning = self.cluster.last_warning(objects.namespace, service.metadata.uid)
        return Obstacle(
            "load balancer refused" if warning else "load balancer",
            f"Service {where} has no load balancer address yet"
            + (f": {warning}" if warning else ""),
            "see that the cluster has something that gives addresses, and that one is free: "
            f"`{self.cluster.kubectl} describe service -n {objects.namespace} {objects.service}`; "
            "or choose another service type",
        )

    def _outside(self, service: Any) -> str | None:
        """Address of the load balancer, where it has one."""
        ingress = service.status.load_balancer.ingress or ()
        host = next((each.ip or each.hostname for each in ingress), None)
        return self.objects.address_at(host) if host else None

    def _missing(self, kind: str, name: str) -> Obstacle:
        objects = self.objects
        return Obstacle(
            kind,
            f"{kind} {objects.namespace}/{name} does not exist, though its release does",
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
                f"`{self.cluster.kubectl} scale statefulset -n {namespace} {name} "
                f"--replicas {self.objects.replicas}`",
                _GONE_SECONDS,
            )
        if (stateful_set.status.observed_generation or 0) < stateful_set.metadata.generation:
            return Obstacle(
                "controller",
                f"StatefulSet {namespace}/{name} is not taken up by the cluster yet",
                "see that the cluster's controller manager runs",
            )
        return None

    def _no_pod(self, stateful_set: Any, pod_name: str) -> Obstacle:
        namespace, name = self.objects.namespace, self.objects.name
        warning = self.cluster.last_warning(namespace, stateful_set.metadata.uid)
        return Obstacle(
            "pod refused" if warning else "no pod",
            f"pod {namespace}/{pod_name} cannot be made: {warning}"
            if warning
            else f"pod {namespace}/{pod_name} does not exist yet",
            "see that quotas and admission allow it, and that the controller manager runs: "
            f"`{self.cluster.kubectl} describe statefulset -n {namespace} {name}`",
        )

    def _pod_of_before(self, pod_name: str) -> Obstacle:
        namespace = self.objects.namespace
        return Obstacle(
            "pod of before",
            f"pod {namespace}/{pod_name} is on its way out, and has to end before there is a new "
            "one",
            "see what keeps it, its node or a finalizer: "
            f"`{self.cluster.kubectl} describe pod -n {namespace} {pod_name}`",
        )

    def _of_outdated(self, obstacle: Obstacle, pod_name: str) -> Obstacle:
        """A pod that does not become ready takes up no correction by itself."""
        return replace(
            obstacle,
            reason=f"{obstacle.reason}; and this pod is still that of before the last upgrade",
            advice=f"have it made anew: {self._delete_pod(pod_name)}",
            patience_seconds=min(
                obstacle.patience_seconds,
                PATIENCE_SECONDS if obstacle.kind in UNDER_WAY else _GONE_SECONDS,
            ),
        )

    def _outdated(self, pod_name: str) -> str:
        taken_up = (
            "takes the upgrade up; Vault in mode dev then has forgotten everything, which `pulumi "
            "refresh` sees and `pulumi up` mends"
            if self.objects.is_development
            else "takes the upgrade up; wait until it is unsealed before the next one"
        )
        return (
            f"pod {self.objects.namespace}/{pod_name} still runs as before the last upgrade: the "
            f"chart leaves it to you when it is replaced. {self._delete_pod(pod_name)} {taken_up}"
        )

    def _delete_pod(self, pod_name: str) -> str:
        return f"`{self.cluster.kubectl} delete pod -n {self.objects.namespace} {pod_name}`"


def told_once(waiting: Sequence[Obstacle]) -> Iterator[str]:
    """What is to be done, each with all that it is to be done for."""
    reasons: dict[str, list[str]] = {}
    for obstacle in waiting:
        reasons.setdefault(obstacle.advice, []).append(obstacle.reason)
    for advice, found in reasons.items():
        yield f"{', '.join(found)}: {advice}"


def _owns(stateful_set: Any, pod: Any) -> bool:
    owners = pod.metadata.owner_references or ()
    return any(owner.uid == stateful_set.metadata.uid for owner in owners)


def _is_outdated(stateful_set: Any, pod: Any) -> bool:
    labels = pod.metadata.labels or {}
    return bool(labels.get("controller-revision-hash") != stateful_set.status.update_revision)
