"""One environment's trust: a root CA in Vault, and every workload cluster's way to it.

Or the Vault that another stack sets the trust up in: nothing can be configured in one that is not
initialised.
"""

import mesh_trust.environment.rare_collection  # noqa: F401  before all that makes many objects

# isort: split
import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

from mesh_trust import VaultInstall, require_no_root_token
from mesh_trust.environment.cluster_trusts import cluster_trusts
from mesh_trust.environment.present_roots import ROOT_CERTIFICATE, ROOTS, roots_output
from mesh_trust.environment.root_guard import RootGuard
from mesh_trust.environment.root_of_trust import root_of_trust
from mesh_trust.environment.root_retirement import once_retirable
from mesh_trust.environment.servers import look_at_servers
from mesh_trust.environment.short_traces import short_traces
from mesh_trust.environment.stack_outputs import outputs_of
from mesh_trust.environment.vault_access import administrator, audit_log, cluster_cas
from mesh_trust.environment.vault_stack import export_vault
from mesh_trust.settings import MANAGEMENT, Settings

settings = Settings.load(look_at_servers, outputs_of)

# Before anything is registered: whether the root that there is stays.
guard = (
    None
    if settings.vault.has_a_stack_of_its_own
    else RootGuard.of(settings.root, development=settings.development).check(settings.root)
)

# Providers: one API server for each cluster, and one Vault.
kubernetes_providers = {
    name: kubernetes.Provider(
        name,
        kubeconfig=connection.provider_kubeconfig,
        context=connection.context,
        cluster_identifier=name,
        # What the program declares is the program's: a change by hand is mended, not a conflict.
        enable_patch_force=True,
        # A certificate is renewed in its place, and is never missing.
        enable_secret_mutable=True if settings.vault.has_a_stack_of_its_own else None,
    )
    for name, connection in settings.connections.items()
}
vault_install = VaultInstall(
    "vault-install",
    settings.vault.install,
    opts=pulumi.ResourceOptions(
        providers=[kubernetes_providers[MANAGEMENT]] if settings.vault.is_installed else []
    ),
    commands=settings.vault.commands,
)


@short_traces()
def set_up_trust(guard: RootGuard) -> None:
    """All that is made in a Vault that can be worked with, and in the workload clusters."""
    # Nor is a generation of the root given up that something still chains to.
    vault_address = once_retirable(settings, guard.retired(settings.root), vault_install)
    vault_provider = vault.Provider(
        "vault",
        address=vault_address,
        ca_cert_file=None if settings.vault.ca_file is None else str(settings.vault.ca_file),
        namespace=settings.vault.namespace,
        # The token of a Vault that is there comes from the environment.
        token=vault_install.root_token if settings.vault.is_installed else None,
    )
    if not settings.development:
        require_no_root_token(vault_provider)
    audit_log(settings, vault_provider)

    # The root of trust, and what signs with it.
    root = root_of_trust(settings, vault_provider, guard)

    # The workload clusters.
    own_cas = cluster_cas(settings, root, vault_provider)
    trusts = cluster_trusts(
        settings, root, own_cas, vault_address, vault_provider, kubernetes_providers
    )

    administrator(settings, root, own_cas, trusts, vault_provider)

    pulumi.export(ROOT_CERTIFICATE, root.certificate_pem)
    pulumi.export(
        ROOTS,
        pulumi.Output.all(**root.generations).apply(
            lambda known: roots_output(known, settings.root.signing_name)
        ),
    )
    pulumi.export("vaultAddress", vault_address)
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
    if rendered := [each.name for each in settings.clusters if each.has_manifest]:
        pulumi.export("istiodManifests", {name: trusts[name].istiod_manifests for name in rendered})


if guard is None:
    export_vault(vault_install)
else:
    set_up_trust(guard)
