"""The trust of every workload cluster of an environment."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

from mesh_trust import (
    AgentPermissions,
    AwaitStatus,
    ClusterCa,
    ClusterTrust,
    ClusterTrustArgs,
    IstiodAgentChoices,
    TrustPolicyChoices,
)
from mesh_trust.agent_values import ISTIOD_SIDECAR
from mesh_trust.settings import MANAGEMENT, Cluster, Settings

from .root_of_trust import RootOfTrust


def cluster_trusts(
    settings: Settings,
    root: RootOfTrust,
    own_cas: Mapping[str, ClusterCa],
    vault_address: pulumi.Output[str],
    vault_provider: vault.Provider,
    kubernetes_providers: Mapping[str, kubernetes.Provider],
) -> dict[str, ClusterTrust]:
    """Registers them, by the cluster's name; `own_cas` sign where there are any, else the root."""
    return {
        cluster.name: ClusterTrust(
            cluster.name,
            cast(
                ClusterTrustArgs,
                {
                    **configured_trust(settings, cluster),
                    "ca_path": own_cas[cluster.name].ca_path if own_cas else root.ca_path,
                    "agent_permissions": _permissions(settings, cluster),
                    "vault_address": vault_address,
                    "trust_policy": _trust_policy(settings, cluster, kubernetes_providers),
                    "istiod_agent": _agent(cluster, kubernetes_providers),
                    "root_certificate_pem": root.certificate_pem,
                    "trusted_roots": root.trusted,
                },
            ),
            opts=pulumi.ResourceOptions(
                providers=[vault_provider, kubernetes_providers[cluster.name]]
            ),
        )
        for cluster in settings.clusters
    }


def configured_trust(settings: Settings, cluster: Cluster) -> dict[str, Any]:
    """Of the ClusterTrustArgs of `cluster` those that the settings alone tell.

    Its `trust_policy` says nothing of where the policy is.
    """
    server = cluster.api_server
    return {
        "cluster": cluster.name,
        "kubernetes_host": None if server is None else server.address,
        "kubernetes_ca_certificate": None if server is None else server.ca_certificate,
        "istio_revisions": cluster.istio.revisions,
        "istio_namespace": cluster.istio.namespace,
        "istiod_service_account": cluster.istio.service_account,
        "cluster_labels": cluster.labels,
        "intermediate_lifetime_days": settings.vault.intermediate_lifetime_days,
        "intermediate_mount_path": cluster.names.intermediate_mount,
        "auth_mount_path": cluster.names.auth_mount,
        "role_name": cluster.names.role,
        "policy_name": cluster.names.policy,
        "login": cluster.login,
        "policy": settings.access.policy,
        "denied_parameters": settings.access.denied_parameters,
        "vault_ca_certificate": settings.vault.ca_certificate,
        "vault_namespace": settings.vault.namespace,
        "trust_policy": _choices(settings),
    }


def _choices(settings: Settings) -> TrustPolicyChoices:
    policy = settings.trust_policy
    choices = TrustPolicyChoices(
        namespace=policy.namespace, auto_restart_pods=policy.auto_restart_pods
    )
    if policy.certificates is not None:
        choices["intermediate_certificates"] = policy.certificates
    return choices


def _trust_policy(
    settings: Settings, cluster: Cluster, providers: Mapping[str, kubernetes.Provider]
) -> TrustPolicyChoices:
    policy = settings.trust_policy
    place = _where(policy.placement, cluster)
    choices = _choices(settings)
    choices["provider"] = providers[place]
    if policy.await_seconds is not None:
        connection = settings.connections[place]
        choices["await_status"] = AwaitStatus(
            kubeconfig=connection.provider_kubeconfig,
            context=connection.context,
            timeout_seconds=policy.await_seconds,
        )
    return choices


def _where(placement: str, cluster: Cluster) -> str:
    """Name of the cluster in which something of `cluster` is placed."""
    return MANAGEMENT if placement == MANAGEMENT else cluster.name


def _permissions(settings: Settings, cluster: Cluster) -> AgentPermissions:
    """Those of the settings, with how to see whether their release is there."""
    release = cluster.permissions.get("release")
    if release is None:
        return cluster.permissions
    connection = cluster.connection
    values = release.get("values", {})
    return {
        "by": cluster.permissions["by"],
        "release": {
            **release,
            "values": _secret(values) if settings.has_secret_values else values,
            "kubeconfig": connection.provider_kubeconfig,
            "context": connection.context,
        },
    }


def _agent(
    cluster: Cluster, providers: Mapping[str, kubernetes.Provider]
) -> IstiodAgentChoices | None:
    agent = cluster.agent
    if agent is None:
        return None
    if cluster.has_manifest:
        provider = providers[_where(agent.placement, cluster)]
        return cast(IstiodAgentChoices, {**agent.args, "provider": provider})
    connection = cluster.connection
    way = {"kubeconfig": connection.provider_kubeconfig, "context": connection.context}
    return cast(IstiodAgentChoices, {**agent.args, **way})


def _secret(values: Any) -> Any:
    """The values with each that is no map as a secret, but for those that the program looks at."""
    if isinstance(values, Mapping):
        return {
            key: value if key == ISTIOD_SIDECAR else _secret(value) for key, value in values.items()
        }
    return pulumi.Output.secret(values)
