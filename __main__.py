"""One environment's trust: a root CA in Vault, and every workload cluster's way to it."""

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

from components import ClusterTrust, RootCa, RootPki, VaultInstall
from settings import MANAGEMENT, Settings
from vault_access import administrator, cluster_cas

settings = Settings.load()
protect = not settings.development

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
    # The token of a Vault that is there comes from the environment.
    token=vault_install.root_token if settings.vault.is_installed else None,
)

# The root of trust.
root_ca = RootCa(
    "root",
    {
        "common_name": settings.root.common_name,
        "organization": settings.root.organization,
        "lifetime_days": settings.root.lifetime_days,
        "path_length": settings.root.path_length,
        "protect": protect,
    },
)
root_pki = RootPki(
    "root-pki",
    {
        "certificate_pem": root_ca.certificate_pem,
        "private_key_pem": root_ca.private_key_pem,
        "intermediate_lifetime_days": settings.root_signs_for_days,
        "protect": protect,
    },
    opts=pulumi.ResourceOptions(providers=[vault_provider]),
)

# The workload clusters.
own_cas = cluster_cas(settings, root_pki, root_ca.certificate_pem, vault_provider)
trusts = {
    cluster.name: ClusterTrust(
        cluster.name,
        {
            "cluster": cluster.name,
            "kubernetes_host": cluster.api_server.address,
            "kubernetes_ca_certificate": cluster.api_server.ca_certificate,
            "istio_revision": cluster.istio_revision,
            "istiod_service_account": cluster.istiod_service_account,
            "cluster_labels": cluster.labels,
            "ca_path": (own_cas.get(cluster.name) or root_pki).ca_path,
            "login": cluster.login,
            "policy": settings.access.policy,
            "denied_parameters": settings.access.denied_parameters,
            "vault_address": vault_install.address,
            "vault_ca_certificate": settings.vault.ca_certificate,
        },
        opts=pulumi.ResourceOptions(providers=[vault_provider, kubernetes_providers[cluster.name]]),
    )
    for cluster in settings.clusters
}

signing_mount_paths = [root_pki.mount_path, *(ca.mount_path for ca in own_cas.values())]
administrator(settings, signing_mount_paths, trusts, vault_provider)

pulumi.export("rootCertificate", root_ca.certificate_pem)
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
