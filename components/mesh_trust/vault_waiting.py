"""What servers of Vault in a cluster wait for, when none of them answers."""

from collections.abc import Sequence

from .cluster_access import ClusterAccess
from .vault_in_cluster import WAITS_FOR_PEOPLE, told_once
from .vault_pod import pod_obstacle


def what_servers_wait_for(
    cluster: ClusterAccess, namespace: str, name: str, command: str
) -> Sequence[str]:
    """What people have to do before the servers of StatefulSet `name` are of use, a line each.

    None where there is no such StatefulSet, or its servers wait for nobody. `command` is how the
    command starts that initialises and unseals them.

    Raises:
        ClusterSilentError: the cluster did not answer.
        pulumi.RunError: it may not be read.
    """
    stateful_set = cluster.stateful_set(namespace, name)
    if stateful_set is None:
        return ()
    pods = [cluster.pod(namespace, f"{name}-{each}") for each in range(stateful_set.spec.replicas)]
    found = [pod_obstacle(cluster, pod, command) for pod in pods if pod is not None]
    return tuple(
        told_once([each for each in found if each is not None and each.kind in WAITS_FOR_PEOPLE])
    )
