"""What a rotation is asked to roll."""

from dataclasses import dataclass

from kubernetes.client import ApiException

from mesh_trust.readiness import on_one_line
from mesh_trust.settings import Cluster

from ..cluster_client import ClusterClient, each_of
from ..errors import OperationError
from ..stack import Stack
from .workload import Workload

_READS = "Deployments and namespaces"


@dataclass(frozen=True)
class Applications:
    """Which Deployments of applications are rolled as well."""

    namespaces: tuple[str, ...]
    """Empty: in every namespace."""
    selector: str | None
    """Labels, as kubectl takes them; None: whichever."""

    def in_cluster(self, cluster: str, client: ClusterClient) -> list[Workload]:
        """Those of one cluster, by namespace and name; those without Istio among them.

        Raises:
            OperationError: the cluster does not understand the selector.
            UnreachableError: they cannot be read.
        """
        options = {} if self.selector is None else {"label_selector": self.selector}
        found = []
        with client.reading(_READS):
            try:
                for namespace in self.namespaces:
                    listed = each_of(client.apps.list_namespaced_deployment, namespace, **options)
                    found += list(listed)
                if not self.namespaces:
                    listed = each_of(client.apps.list_deployment_for_all_namespaces, **options)
                    found += list(listed)
            except ApiException as error:
                if error.status != 400:
                    raise
                raise OperationError(
                    f"--selector: {self.selector!r} is not valid; use labels as kubectl takes "
                    f"them, such as app=reviews ({on_one_line(str(error.body), 150)})"
                ) from None
        places = sorted({(each.metadata.namespace, each.metadata.name) for each in found})
        return [Workload(cluster, client, *place) for place in places]

    def lacking_in(self, client: ClusterClient) -> set[str]:
        """Those of the namespaces that a cluster does not have.

        Raises:
            UnreachableError: they cannot be read.
        """
        with client.reading(_READS):
            there = {each.metadata.name for each in each_of(client.core.list_namespace)}
        return set(self.namespaces) - there


def chosen_clusters(stack: Stack, names: tuple[str, ...]) -> list[Cluster]:
    """The clusters of `stack` with these names, in its own order; all where none is named.

    Raises:
        OperationError: it has no such cluster.
    """
    clusters = {each.name: each for each in stack.settings.clusters}
    for name in names:
        if name not in clusters:
            raise OperationError(
                f"--cluster: {name!r} is not valid; name one of stack {stack.name}: "
                f"{', '.join(clusters)}"
            )
    return [each for name, each in clusters.items() if not names or name in names]
