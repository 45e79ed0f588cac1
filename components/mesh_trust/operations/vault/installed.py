"""Servers of a Vault that runs in a cluster, each found and reached as a pod of its own."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mesh_trust import InvalidInputError
from mesh_trust.kubeconfig import Kubeconfig
from mesh_trust.settings import Connection
from mesh_trust.validation import require_dns_label
from mesh_trust.vault_install_args import NAMESPACE, RELEASE_NAME

from ..cluster_client import ClusterClient
from ..errors import OperationError
from ..port_forward import PodPort
from ..unreachable import UnreachableError
from .forwarding import ForwardedTransport

_CONTAINER = "vault"
_LABELS = "app.kubernetes.io/instance={release},app.kubernetes.io/name=vault"
"""Of the chart's StatefulSet."""


@dataclass(frozen=True)
class Installation:
    """Where in a cluster a Vault is, as HashiCorp's chart installs it."""

    connection: Connection
    namespace: str = NAMESPACE
    release: str = RELEASE_NAME

    @classmethod
    def named(cls, context: str, namespace: str | None, release: str | None) -> "Installation":
        """The one in the cluster of `context` of the kubeconfig that kubectl would take.

        Raises:
            OperationError: one of them is not valid.
        """
        file = os.environ.get("KUBECONFIG") or "~/.kube/config"
        try:
            kubeconfig = Kubeconfig.read(os.path.expanduser(file), "KUBECONFIG")  # noqa: PTH111
            kubeconfig.require_context(context)
            return cls(
                Connection(kubeconfig.place, context, kubeconfig),
                require_dns_label("namespace", namespace or NAMESPACE),
                require_dns_label("release", release or RELEASE_NAME),
            )
        except InvalidInputError as error:
            raise OperationError(str(error)) from None

    @property
    def options(self) -> tuple[str, ...]:
        """Those of a command that name it."""
        named = [f"--context {shlex.quote(self.connection.context)}"]
        if self.namespace != NAMESPACE:
            named.append(f"--namespace {self.namespace}")
        if self.release != RELEASE_NAME:
            named.append(f"--release {self.release}")
        return tuple(named)


@dataclass(frozen=True)
class Server:
    """One pod."""

    address: str
    """As the other servers reach it, in the cluster."""
    transport: ForwardedTransport
    """How this machine does."""


def servers_of(installation: Installation) -> Sequence[Server]:
    """All that there are to be; each has a name of its own, whether or not its pod is there.

    Raises:
        OperationError: the cluster cannot be asked, or there is no such Vault, or one that serves
            plain HTTP.
    """
    try:
        client = ClusterClient(installation.connection)
        stateful_set = _stateful_set(client, installation)
    except UnreachableError as error:
        raise OperationError(f"{error}: {error.fix}") from None
    name, spec = stateful_set.metadata.name, stateful_set.spec
    where = f"StatefulSet {installation.namespace}/{name}"
    if not spec.replicas:
        raise OperationError(
            f"{where} is scaled to 0 pods: `kubectl --context {client.context} scale statefulset "
            f"-n {installation.namespace} {name} --replicas 3`, or as many as it had"
        )
    port = _port(spec.template.spec, where)
    return [
        _server(PodPort(client, installation.namespace, f"{name}-{each}", port), spec.service_name)
        for each in range(spec.replicas)
    ]


def _server(port: PodPort, service: str) -> Server:
    host = f"{port.pod}.{service}"
    return Server(f"https://{host}:{port.port}", ForwardedTransport(port, host))


def _stateful_set(client: ClusterClient, installation: Installation) -> Any:
    namespace, release = installation.namespace, installation.release
    with client.reading(f"the StatefulSets of namespace {namespace}"):
        found = client.apps.list_namespaced_stateful_set(
            namespace, label_selector=_LABELS.format(release=release)
        ).items
    if len(found) != 1:
        listed = " and ".join(each.metadata.name for each in found)
        raise OperationError(
            f"release {release} in namespace {namespace} of context {client.context} has "
            + (f"several StatefulSets, {listed}" if found else "no StatefulSet of Vault")
            + ": name another with --namespace and --release, or the servers with --address"
        )
    return found[0]


def _port(spec: Any, where: str) -> int:
    """The port of the API, as the chart names it."""
    for container in spec.containers:
        if container.name == _CONTAINER:
            ports = {each.name: each.container_port for each in container.ports or ()}
            if "https" in ports:
                return int(ports["https"])
            if "http" in ports:
                raise OperationError(
                    f"the pods of {where} serve plain HTTP, by which keys and tokens would travel "
                    "in clear: install Vault with TLS"
                )
    raise OperationError(
        f"{where} has no container {_CONTAINER} with a port https: name the servers with --address"
    )
