"""What the stack's configuration says of one workload cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh_trust import (
    AgentPermissions,
    ApiServer,
    ClusterLogin,
    InvalidInputError,
    ca_certificates,
)
from mesh_trust.kubernetes_values import require_labels
from mesh_trust.validation import require_server_address, require_whole_number

from .agent import FIELDS as AGENT_FIELDS
from .agent import KEY as AGENT
from .agent import Agent, load_agent
from .connections import Connection, Connections
from .istio import ISTIO_FIELDS, Istio, load_istio
from .laid import Laid
from .login import LOGIN_FIELDS, cluster_login
from .names import ClusterNames, VaultNames
from .permissions import FIELDS as PERMISSION_FIELDS
from .permissions import KEY as PERMISSIONS
from .permissions import load_permissions
from .problems import Problems
from .values import known_fields, require_filled, require_label

LAID_OVER = {PERMISSIONS: PERMISSION_FIELDS, AGENT: AGENT_FIELDS}
"""Keys whose fields clusters have in common, each with these fields; a cluster lays its own over
them."""

FIELDS = (
    "name",
    "context",
    "kubeconfig",
    "kubernetesHost",
    "kubernetesCaFile",
    "clusterLabels",
    "caGeneration",
    *ISTIO_FIELDS,
    *LAID_OVER,
    *LOGIN_FIELDS,
)
"""Fields of a cluster."""


@dataclass(frozen=True)
class Cluster:
    """One workload cluster."""

    name: str
    connection: Connection
    istio: Istio
    api_server: ApiServer | None
    """The API server as Vault reaches it; None where Vault asks nobody, with reviewer mode jwt."""
    labels: Mapping[str, str]
    """Labels of Gloo's KubernetesCluster that no other cluster has."""
    login: ClusterLogin
    """How its agent logs in to Vault."""
    names: ClusterNames
    """What it has in Vault."""
    permissions: AgentPermissions
    """What permits its agents what they need of Kubernetes."""
    agent: Agent | None
    """The agents beside its istiods; None: others see to them."""
    ca_generation: int
    """Counts the CAs of its own that it has had."""
    place: str
    """Where the configuration describes it, for messages."""

    @property
    def has_manifest(self) -> bool:
        """Whether its istiods are described by a manifest, into which the agent is put."""
        return self.agent is not None and "resource" in self.agent.args


@dataclass(frozen=True)
class Common:
    """What the clusters of an environment have in common, over which each lays its own."""

    connections: Connections
    login: ClusterLogin
    names: VaultNames
    laid_over: Mapping[str, Mapping[str, Any]]
    """Fields by the keys of LAID_OVER."""
    problems: Problems

    def laid(self, key: str, fields: Mapping[str, Any], place: str, problems: Problems) -> Laid:
        """What holds of `key`, one of LAID_OVER, for the cluster with `fields` at `place`."""
        own: Mapping[str, Any] = {}
        if key in fields:
            own = known_fields(f"{place}.{key}", fields[key], LAID_OVER[key], problems)
        return Laid(key, self.laid_over[key], own, place, self.problems)


def load_cluster(entry: object, place: str, common: Common, problems: Problems) -> Cluster | None:
    """Reads the cluster in `entry`, at `place`; None where what is noted makes it unusable."""
    if not isinstance(entry, Mapping):
        known_fields(place, entry, FIELDS, problems)
        return None
    told = entry.get("name")
    fields = known_fields(
        place, entry, FIELDS, problems.part(told if isinstance(told, str) else None)
    )
    name = problems.value(None, require_label, f"{place}.name", fields.get("name"))
    part = problems.part(name)
    context = name
    if "context" in fields:
        context = part.value(None, require_filled, f"{place}.context", fields["context"])
    connection = common.connections.connection(fields, place, context, part)
    istio = load_istio(fields, place, part)
    labels = _labels(fields, place, name, part)
    login = cluster_login(fields, place, common.login, part)
    server = None
    if asked := login.get("reviewer_mode") != "jwt":
        server = _api_server(fields, place, connection, part)
    permissions = load_permissions(common.laid(PERMISSIONS, fields, place, part), part)
    agent = load_agent(common.laid(AGENT, fields, place, part), istio, part)
    generation = part.value(
        1,
        require_whole_number,
        f"{place}.caGeneration",
        fields.get("caGeneration", 1),
        minimum=1,
        unit="CAs",
    )
    if name is None or connection is None or (asked and server is None) or not part.none:
        return None
    return Cluster(
        name=name,
        connection=connection,
        istio=istio,
        api_server=server,
        labels=labels,
        login=login,
        names=common.names.of(name, login.get("reviewer_mode", "token")),
        permissions=permissions,
        agent=agent,
        ca_generation=generation,
        place=place,
    )


def _api_server(
    fields: Mapping[str, Any], place: str, connection: Connection | None, problems: Problems
) -> ApiServer | None:
    address = certificate = None
    if "kubernetesHost" in fields:
        field = f"{place}.kubernetesHost"
        address = problems.value(None, require_server_address, field, fields["kubernetesHost"])
    elif connection is not None:
        address = problems.value(None, _address, connection)
    if "kubernetesCaFile" in fields:
        field = f"{place}.kubernetesCaFile"
        certificate = problems.value(None, _ca_certificate, field, fields["kubernetesCaFile"])
    elif connection is not None:
        read, context = connection.read, connection.context
        certificate = problems.value(None, read.ca_certificate, context)
    return None if address is None or certificate is None else ApiServer(address, certificate)


def _address(connection: Connection) -> str:
    read, context = connection.read, connection.context
    try:
        return require_server_address(
            f"server of context {context} in {read.place}", read.address(context)
        )
    except InvalidInputError as error:
        fix = f"{error.fix}; or set kubernetesHost to where Vault gets to it"
        raise InvalidInputError(error.field, error.value, fix) from None


def _ca_certificate(field: str, file: object) -> str:
    return ca_certificates(require_filled(field, file), field)


def _labels(
    fields: Mapping[str, Any], place: str, name: str | None, problems: Problems
) -> dict[str, str]:
    field = f"{place}.clusterLabels"
    labels = fields.get("clusterLabels", {"cluster": name or ""})
    if not isinstance(labels, Mapping) or not labels:
        problems.note(InvalidInputError(field, labels, "map at least one label to its value"))
        return {}
    part = problems.part()
    for key, value in labels.items():
        if not isinstance(value, str):
            part.note(InvalidInputError(f"{field}.{key}", value, "put the value in quotes"))
    if part.none and name is not None:
        part.value(None, require_labels, field, labels)
    return dict(labels)
