"""What one configured provider works with: its settings and its cluster, if that answers."""

from dataclasses import dataclass, field

from lab.plugins.kubernetes.cluster import ApiError, Cluster, Unreachable
from lab.plugins.kubernetes.kubeconfig import (
    KubeconfigError,
    active_namespace,
    ambient_kubeconfig,
    connect,
    for_other_clients,
    parse_kubeconfig,
)
from lab.plugins.kubernetes.readiness import Waiting
from lab.plugins.kubernetes.settings import Settings
from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Properties


@dataclass(frozen=True)
class Connection:
    """A provider's settings and cluster.

    `cluster` is None where it cannot be reached, and `unreachable_because` says why. Objects that
    name no namespace belong into `default_namespace`. `kubeconfig` is for other clients of the same
    cluster, empty where there is none.
    """

    settings: Settings
    cluster: Cluster | None
    unreachable_because: str
    default_namespace: str
    kubeconfig: Properties = field(default_factory=dict, repr=False)
    waiting: Waiting = field(default_factory=Waiting)

    def reachable(self) -> Cluster:
        """Return the cluster; raises `ProviderError` where it cannot be reached."""
        if self.cluster is None:
            raise ProviderError(
                f"configured Kubernetes cluster is unreachable: {self.unreachable_because}"
            )
        return self.cluster


def open_connection(settings: Settings) -> Connection:
    """Connect to the cluster of the settings; that it cannot be reached is no error yet."""
    try:
        if settings.kubeconfig is None:
            kubeconfig = ambient_kubeconfig()
        else:
            kubeconfig = parse_kubeconfig(settings.kubeconfig)
    except KubeconfigError as error:
        reason = f"failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- {error}"
        return Connection(settings, None, reason, settings.namespace)

    namespace = settings.namespace or active_namespace(kubeconfig, settings.selection)
    try:
        client = connect(kubeconfig, settings.selection)
    except KubeconfigError as error:
        reason = f"unable to load Kubernetes client configuration from kubeconfig file: {error}"
        return Connection(settings, None, reason, namespace)
    cluster = Cluster(client, settings.request_seconds)
    for_others = for_other_clients(kubeconfig, settings.selection)
    try:
        cluster.version()
    except (ApiError, Unreachable) as error:
        reason = f"unable to load schema information from the API server: {error}"
        return Connection(settings, None, reason, namespace, for_others)
    return Connection(settings, cluster, "", namespace, for_others)
