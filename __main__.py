"""One environment's trust: a root CA in Vault, and every workload cluster's way to it."""

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

from components import ClusterTrust, VaultInstall, require_no_root_token
from root_guard import ROOT_CERTIFICATE, RootGuard
from root_of_trust import root_of_trust
from settings import MANAGEMENT, Settings
from vault_access import administrator, cluster_cas

settings = Settings.load()

# Before anything is registered: whether the root that there is stays.
guard = RootGuard.of(settings.root, development=settings.development).check(settings.root)

# Providers: one API server for each cluster, and one Vault.
kubernetes_providers = {
    name: kubernetes.Provider(
        name,
        kubeconfig=str(settings.kubeconfig),
        context=context,
        cluster_identifier=name,
        # What the program declares is the program's: a change by hand is mended, not a conflict.
        enable_patch_force=True,
    )
    for name, context in settings.contexts.items()
}
vault_install = VaultInstall(
    "vault-install",
    settings.vault.install,
    opts=pulumi.ResourceOptions(
        providers=[kubernetes_providers[MANAGEMENT]] if settings.vault.is_installed else []
    ),
)
vault_provider = vault.Provider(
    "vault",
    address=vault_install.address,
    ca_cert_file=None if settings.vault.ca_file is None else str(settings.vault.ca_file),
    namespace=settings.vault.namespace,
    # The token of a Vault that is there comes from the environment.
    token=vault_install.root_token if settings.vault.is_installed else None,
)
if not settings.development:
    require_no_root_token(vault_provider)

# The root of trust, and what signs with it.
root = root_of_trust(settings, vault_provider, guard)

# The workload clusters.
own_cas = cluster_cas(settings, root, vault_provider)
trusts = {
    cluster.name: ClusterTrust(
        cluster.name,
        {
            "cluster": cluster.name,
            "kubernetes_host": cluster.api_server.address,
            "kubernetes_ca_certificate": cluster.api_server.ca_certificate,
            "istio_revisions": [cluster.istio_revision],
            "istiod_service_account": cluster.istiod_service_account,
            "cluster_labels": cluster.labels,
            "ca_path": own_cas[cluster.name].ca_path if own_cas else root.ca_path,
            "intermediate_lifetime_days": settings.vault.intermediate_lifetime_days,
            "intermediate_mount_path": cluster.names.intermediate_mount,
            "auth_mount_path": cluster.names.auth_mount,
            "role_name": cluster.names.role,
            "policy_name": cluster.names.policy,
            "login": cluster.login,
            "policy": settings.access.policy,
            "denied_parameters": settings.access.denied_parameters,
            "vault_address": vault_install.address,
            "vault_ca_certificate": settings.vault.ca_certificate,
            "vault_namespace": settings.vault.namespace,
        },
        opts=pulumi.ResourceOptions(providers=[vault_provider, kubernetes_providers[cluster.name]]),
    )
    for cluster in settings.clusters
}

administrator(settings, root, own_cas, trusts, vault_provider)

pulumi.export(ROOT_CERTIFICATE, root.certificate_pem)
pulumi.export("vaultAddress", vault_install.address)
pulumi.export(
    "clusters",
    {
        name: {
            "authMount": trust.auth_mount_path,
            "intermediateMount": trust.intermediate_mount_path,
            "role": trust.role_name,
            "policy": trust.policy_name,
        }
        for name, trust in trusts.items()
    },
)
