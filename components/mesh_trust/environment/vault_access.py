"""What an environment has in Vault beside the root and the clusters' trust."""

from collections.abc import Mapping

import pulumi
import pulumi_vault as vault

from mesh_trust import ClusterCa, ClusterTrust, VaultAdministrator
from mesh_trust.settings import Settings

from .root_of_trust import RootOfTrust

AUDIT_PATH = "mesh-trust"
"""Where Vault has the audit device; another one may be at any other path."""


def audit_log(settings: Settings, provider: vault.Provider) -> None:
    """Has Vault write down what it is asked, where its servers have a place for that."""
    if settings.vault.audit_file is None:
        return
    vault.Audit(
        "audit",
        type="file",
        path=AUDIT_PATH,
        description="Every request and answer, secrets hashed",
        options={"file_path": settings.vault.audit_file},
        opts=pulumi.ResourceOptions(provider=provider, protect=not settings.development),
    )


def cluster_cas(
    settings: Settings, root: RootOfTrust, provider: vault.Provider
) -> dict[str, ClusterCa]:
    """Registers the CAs of the clusters' own, by the cluster's name; none where the root signs."""
    if settings.access.signing_ca != "cluster":
        return {}
    return {
        cluster.name: ClusterCa(
            f"{cluster.name}-ca",
            {
                "cluster": cluster.name,
                "mount_path": cluster.names.ca_mount,
                "root_mount_path": root.pki.mount_path,
                "root_issuer_id": root.pki.issuer_id,
                "root_certificate_pem": root.certificate_pem,
                "lifetime_days": settings.access.cluster_ca_lifetime_days,
                "intermediate_lifetime_days": settings.vault.intermediate_lifetime_days,
                "generation": cluster.ca_generation,
                "protect": not settings.development,
            },
            opts=pulumi.ResourceOptions(providers=[provider]),
        )
        for cluster in settings.clusters
    }


def administrator(
    settings: Settings,
    root: RootOfTrust,
    own_cas: Mapping[str, ClusterCa],
    trusts: Mapping[str, ClusterTrust],
    provider: vault.Provider,
) -> None:
    """Registers the administrator and exports how to log in, where one is asked for."""
    if not settings.access.administrator:
        return
    signing_mount_paths = [
        *root.managed_mount_paths,
        *(ca.mount_path for ca in own_cas.values()),
    ]
    user = VaultAdministrator(
        "administrator",
        {
            "signing_mount_paths": signing_mount_paths,
            "clusters": [
                {
                    "intermediate_mount_path": trust.intermediate_mount_path,
                    "auth_mount_path": trust.auth_mount_path,
                    "role_name": trust.role_name,
                    "policy_name": trust.policy_name,
                }
                for trust in trusts.values()
            ],
            "username": settings.names.administrator,
            "policy_name": settings.names.administrator_policy,
            "mount_path": settings.names.administrator_mount,
            "password_generation": settings.access.administrator_password_generation,
        },
        opts=pulumi.ResourceOptions(providers=[provider]),
    )
    pulumi.export("administrator", {"username": user.username, "password": user.password})
