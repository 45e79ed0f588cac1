"""What the stack's configuration says of the workload clusters."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import pulumi

from components import AgentPermissions, ApiServer, ClusterLogin, InvalidInputError
from components.validation import (
    require_cas,
    require_dns_label,
    require_server_address,
    require_whole_number,
)

from .agent import FIELDS as AGENT_FIELDS
from .agent import KEY as AGENT
from .agent import Agent, load_agent
from .connections import Connection, Connections
from .istio import ISTIO_FIELDS, Istio, load_istio
from .login import LOGIN_FIELDS, cluster_login
from .names import ClusterNames, VaultNames
from .permissions import FIELDS as PERMISSION_FIELDS
from .permissions import KEY as PERMISSIONS
from .permissions import load_permissions
from .problems import Problems
from .values import certificates_in, known_fields, require_filled, structure

KEY = "clusters"
FIELDS = (
    "name",
    "context",
    "kubeconfig",
    "kubernetesHost",
    "kubernetesCaFile",
    "clusterLabels",
    "caGeneration",
    *ISTIO_FIELDS,
    PERMISSIONS,
    AGENT,
    *LOGIN_FIELDS,
)
"""Fields of a cluster."""


@dataclass(frozen=True)
class Cluster:
    """One workload cluster."""

    name: str
    connection: Connection
    istio: Istio
    api_server: ApiServer
    """The API server as Vault reaches it."""
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
class _Environment:
    """What the clusters of an environment have in common."""

    connections: Connections
    login: ClusterLogin
    names: VaultNames
    permissions: Mapping[str, Any]
    agent: Mapping[str, Any]
    problems: Problems

    def agent_of(
        self, fields: Mapping[str, Any], place: str, istio: Istio, problems: Problems
    ) -> Agent | None:
        """The agents of the cluster with `fields` at `place`."""
        agent = self._common_agent
        if AGENT in fields:
            field = f"{place}.{AGENT}"
            own = known_fields(field, fields[AGENT], AGENT_FIELDS, problems)
            agent = load_agent(self.agent, own, place, problems)
        if agent is not None and "resource" in agent.args and len(istio.revisions) > 1:
            fix = "list one with an istiodAgent.manifest, which has a single istiod's agent"
            revisions = list(istio.revisions)
            problems.note(InvalidInputError(f"{place}.istioRevisions", revisions, fix))
        return agent

    @cached_property
    def _common_agent(self) -> Agent | None:
        # What is wrong with it is no single cluster's.
        return load_agent(self.agent, None, "", self.problems)

    def permissions_of(
        self, fields: Mapping[str, Any], place: str, problems: Problems
    ) -> AgentPermissions:
        """Those of the cluster with `fields` at `place`."""
        if PERMISSIONS not in fields:
            return self._common_permissions
        field = f"{place}.{PERMISSIONS}"
        own = known_fields(field, fields[PERMISSIONS], PERMISSION_FIELDS, problems)
        return load_permissions(self.permissions, own, place, problems)

    @cached_property
    def _common_permissions(self) -> AgentPermissions:
        # What is wrong with it is no single cluster's.
        return load_permissions(self.permissions, None, "", self.problems)


def load_clusters(
    config: pulumi.Config,
    connections: Connections,
    login: ClusterLogin,
    names: VaultNames,
    problems: Problems,
) -> tuple[Cluster, ...]:
    """Reads those that can be used from `config`; notes what is wrong with the others."""
    entries = structure(config, KEY)
    if not isinstance(entries, list) or not entries:
        problems.note(InvalidInputError(KEY, entries, "list at least one workload cluster"))
        return ()
    permissions = _of_all(config, PERMISSIONS, PERMISSION_FIELDS, problems)
    agent = _of_all(config, AGENT, AGENT_FIELDS, problems)
    environment = _Environment(connections, login, names, permissions, agent, problems)
    again = _note_repetitions(entries, problems)
    read = [
        _cluster(entry, f"{KEY}[{index}]", environment, problems)
        for index, entry in enumerate(entries)
    ]
    clusters = tuple(
        cluster for index, cluster in enumerate(read) if cluster is not None and index not in again
    )
    for one, other in combinations(clusters, 2):
        _note_likeness(one, other, problems)
    return clusters


def _of_all(
    config: pulumi.Config, key: str, fields: Collection[str], problems: Problems
) -> Mapping[str, Any]:
    """What all clusters have in common, over which each lays its own."""
    entry = structure(config, key)
    return {} if entry is None else known_fields(key, entry, fields, problems)


def _note_repetitions(entries: Sequence[object], problems: Problems) -> set[int]:
    """Notes names and contexts that come twice, or would if written as they have to be.

    Gives the places of those that come again.
    """
    names: dict[str, str] = {}
    contexts: dict[tuple[str, str], str] = {}
    again = set()
    for index, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            continue
        place, name = f"{KEY}[{index}]", entry["name"]
        normal = "-".join(name.lower().replace("_", " ").split())
        context = str(entry.get("context", name))
        reached = (str(entry.get("kubeconfig")), context)
        if normal in names:
            again.add(index)
            other = names[normal]
            fix = "list each cluster once"
            if other != name:
                fix = f"use another name: written as it has to be, it is that of {other!r}"
            problems.note(InvalidInputError(f"{place}.name", name, fix))
        elif reached in contexts:
            again.add(index)
            fix = f"use another one: it is that of {contexts[reached]}"
            problems.part(name).note(InvalidInputError(f"{place}.context", context, fix))
        names.setdefault(normal, name)
        contexts.setdefault(reached, name)
    return again


def _note_likeness(one: Cluster, other: Cluster, problems: Problems) -> None:
    part = problems.part(other.name)
    few, many = sorted((one.labels, other.labels), key=len)
    if few.items() <= many.items():
        fix = f"use labels that tell it from {one.name}, which has {dict(one.labels)}"
        part.note(InvalidInputError(f"{other.place}.clusterLabels", dict(other.labels), fix))
    if _reached(one) == _reached(other) and one.connection != other.connection:
        fix = f"use another context: it leads to the API server of {one.name}"
        part.note(InvalidInputError(f"{other.place}.context", other.connection.context, fix))


def _reached(cluster: Cluster) -> str:
    return cluster.connection.read.address(cluster.connection.context)


def _cluster(
    entry: object, place: str, environment: _Environment, problems: Problems
) -> Cluster | None:
    if not isinstance(entry, Mapping):
        known_fields(place, entry, FIELDS, problems)
        return None
    told = entry.get("name")
    fields = known_fields(
        place, entry, FIELDS, problems.part(told if isinstance(told, str) else None)
    )
    name = problems.value(None, _name, f"{place}.name", fields.get("name"))
    part = problems.part(name)
    context = name
    if "context" in fields:
        context = part.value(None, require_filled, f"{place}.context", fields["context"])
    connection = environment.connections.connection(fields, place, context, part)
    server = _api_server(fields, place, connection, part)
    istio = load_istio(fields, place, part)
    labels = _labels(fields, place, name, part)
    login = cluster_login(fields, place, environment.login, part)
    permissions = environment.permissions_of(fields, place, part)
    agent = environment.agent_of(fields, place, istio, part)
    generation = part.value(
        1,
        require_whole_number,
        f"{place}.caGeneration",
        fields.get("caGeneration", 1),
        minimum=1,
        unit="CAs",
    )
    if name is None or connection is None or server is None or not part.none:
        return None
    return Cluster(
        name=name,
        connection=connection,
        istio=istio,
        api_server=server,
        labels=labels,
        login=login,
        names=environment.names.of(name, login.get("reviewer_mode", "token")),
        permissions=permissions,
        agent=agent,
        ca_generation=generation,
        place=place,
    )


def _name(field: str, value: object) -> str:
    return require_dns_label(field, require_filled(field, value))


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
    return require_server_address(
        f"server of context {context} in {read.place}", read.address(context)
    )


def _ca_certificate(field: str, file: object) -> str:
    path = Path(require_filled(field, file)).expanduser()
    return require_cas(field, str(path), certificates_in(field, path))


def _labels(
    fields: Mapping[str, Any], place: str, name: str | None, problems: Problems
) -> dict[str, str]:
    field = f"{place}.clusterLabels"
    labels = fields.get("clusterLabels", {"cluster": name or ""})
    if not isinstance(labels, Mapping) or not labels:
        problems.note(InvalidInputError(field, labels, "map at least one label to its value"))
        return {}
    for key, value in labels.items():
        if not isinstance(value, str):
            problems.note(InvalidInputError(f"{field}.{key}", value, "put the value in quotes"))
    return dict(labels)
