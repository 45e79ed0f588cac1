"""The trust of some clusters of a fleet, whose root is another stack's.

One stack for each group of clusters, or for each cluster: they do not know of each other.
Change: nothing but the stacks' configuration.
"""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

from mesh_trust import ClusterTrust, api_server, ca_certificates

config = pulumi.Config()
kubeconfig, vault_ca_file = config.require("kubeconfig"), config.require("vaultCaFile")
clusters: dict[str, str] = config.require_object("clusters")
root_stack = config.require("rootStack")


def made(outputs: Mapping[str, str]) -> Mapping[str, str]:
    """The outputs of the root's stack, which has some once it has been made."""
    if missing := {"caPath", "vaultAddress", "vaultCaCertificate"} - set(outputs):
        raise pulumi.RunError(
            f"rootStack: {root_stack!r} is not valid; run `pulumi up` there first: "
            f"it has no {min(missing)}"
        )
    return outputs


root = pulumi.StackReference(root_stack).outputs.apply(made)
vault_address = root["vaultAddress"]

# One that cannot be read is told here, and not by the provider in the middle of an update.
ca_certificates(vault_ca_file, "vaultCaFile")
in_vault = vault.Provider("vault", address=vault_address, ca_cert_file=vault_ca_file)

for cluster, context in clusters.items():
    server = api_server(kubeconfig, context)
    trust = ClusterTrust(
        cluster,
        {
            "cluster": cluster,
            "kubernetes_host": server.address,
            "kubernetes_ca_certificate": server.ca_certificate,
            "ca_path": root["caPath"],
            "vault_address": vault_address,
            "vault_ca_certificate": root["vaultCaCertificate"],
        },
        opts=pulumi.ResourceOptions(
            providers=[
                in_vault,
                kubernetes.Provider(cluster, kubeconfig=kubeconfig, context=context),
            ]
        ),
    )
    pulumi.export(cluster, {"role": trust.role_name, "authMount": trust.auth_mount_path})
