"""Looks at the servers that settings name, before anything is written to any of them."""

import ipaddress
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi

from components import InvalidInputError
from components.cluster_access import IDENTITY_NAMESPACE, ClusterAccess, ClusterSilentError
from components.names import GLOO_NAMESPACE
from components.root_trust_policy_status import API_VERSION, PLURAL
from components.vault_health import health_obstacle
from settings import Cluster, Connection, Problems, Settings

_READS = f"namespaces and the API group {API_VERSION.partition('/')[0]}"


def look_at_servers(settings: Settings, problems: Problems) -> None:
    """Notes what the servers show to be wrong with `settings`.

    A server that cannot be asked is warned of, and left to those who work with it.
    """
    _look_at_vault(settings, problems)
    seen = _see(settings)
    identities: dict[str, str] = {}
    for cluster in settings.clusters:
        part = problems.part(cluster.name)
        _warn_of_loopback(settings, cluster)
        found = seen[cluster.name]
        if isinstance(found, str):
            pulumi.log.warn(f"cluster {cluster.name} cannot be looked at beforehand: {found}")
            continue
        _look_at_cluster(cluster, found, part)
        other = identities.setdefault(found.identity or cluster.name, cluster.name)
        if other != cluster.name:
            fix = f"use another context: it leads to the cluster of {other}"
            field = f"{cluster.place}.context"
            part.note(InvalidInputError(field, cluster.connection.context, fix))


@dataclass(frozen=True)
class _Seen:
    """What a cluster shows."""

    identity: str | None
    namespaces: frozenset[str]
    """Those that are there, of the ones that were looked for."""
    serves_policies: bool


def _see(settings: Settings) -> Mapping[str, _Seen | str]:
    """What each cluster shows, or why it shows nothing, by the cluster's name."""
    if not settings.clusters:
        return {}
    with ThreadPoolExecutor(len(settings.clusters)) as threads:
        looks = {
            each.name: threads.submit(_look, each.connection, each.istio.namespace)
            for each in settings.clusters
        }
    return {name: look.result() for name, look in looks.items()}


def _look(connection: Connection, istio_namespace: str) -> _Seen | str:
    try:
        access = ClusterAccess(connection.kubeconfig, connection.context, _READS)
        group, _, version = API_VERSION.partition("/")
        return _Seen(
            identity=access.namespace_uid(IDENTITY_NAMESPACE),
            namespaces=frozenset(
                name
                for name in (GLOO_NAMESPACE, istio_namespace)
                if access.namespace_uid(name) is not None
            ),
            serves_policies=access.serves(group, version, PLURAL),
        )
    except (ClusterSilentError, pulumi.RunError) as error:
        return str(error)


def _look_at_cluster(cluster: Cluster, seen: _Seen, problems: Problems) -> None:
    field, context = f"{cluster.place}.context", cluster.connection.context
    if not seen.serves_policies:
        fix = (
            f"install Gloo Mesh there first: its API server does not know {PLURAL} of {API_VERSION}"
        )
        problems.note(InvalidInputError(field, context, fix))
    elif GLOO_NAMESPACE not in seen.namespaces:
        fix = f"install Gloo Mesh there first: it has no namespace {GLOO_NAMESPACE}"
        problems.note(InvalidInputError(field, context, fix))
    if cluster.istio.namespace not in seen.namespaces:
        fix = "name the namespace of istiod, which has to be there: this one is not"
        field = f"{cluster.place}.istioNamespace"
        problems.note(InvalidInputError(field, cluster.istio.namespace, fix))


def _look_at_vault(settings: Settings, problems: Problems) -> None:
    vault = settings.vault
    address = vault.install.get("address")
    if vault.is_installed or not isinstance(address, str):
        return
    if vault.ca_file is not None and vault.ca_certificate is None:
        # Noted already; the system's certificates would be blamed in its place.
        return
    obstacle = health_obstacle(address, vault.ca_certificate)
    # What time may mend is waited for where Vault is needed.
    if obstacle is None or obstacle.patience_seconds:
        return
    field, value = "vaultAddress", address
    if obstacle.kind == "certificate" and vault.ca_file is not None:
        field, value = "vaultCaFile", str(vault.ca_file)
    problems.note(InvalidInputError(field, value, f"{obstacle.advice}: {obstacle.reason}"))


def _warn_of_loopback(settings: Settings, cluster: Cluster) -> None:
    """Warns of an API server that only this machine gets to, where Vault is on another one."""
    if cluster.login.get("reviewer_mode") == "jwt":
        return
    vault = settings.vault.install.get("address")
    vault_is_here = isinstance(vault, str) and _is_loopback(vault)
    if _is_loopback(cluster.api_server.address) and not vault_is_here:
        pulumi.log.warn(
            f"{cluster.place}.kubernetesHost (cluster {cluster.name}): "
            f"{cluster.api_server.address!r} is this machine's own address, at which Vault does "
            "not get to the cluster's API server; set kubernetesHost to one at which it does"
        )


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
