"""The trust of some clusters of a fleet, whose root is another stack's.

One stack for each group of clusters, or for each cluster: they do not know of each other.
Change: nothing but the stacks' configuration.
"""

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

from mesh_trust import ClusterTrust, api_server

config = pulumi.Config()
kubeconfig = config.require("kubeconfig")
clusters: dict[str, str] = config.require_object("clusters")

root = pulumi.StackReference(config.require("rootStack"))
vault_address = root.require_output("vaultAddress")

in_vault = vault.Provider(
    "vault", address=vault_address, ca_cert_file=config.require("vaultCaFile")
)

for cluster, context in clusters.items():
    server = api_server(kubeconfig, context)
    trust = ClusterTrust(
        cluster,
        {
            "cluster": cluster,
            "kubernetes_host": server.address,
            "kubernetes_ca_certificate": server.ca_certificate,
            "ca_path": root.require_output("caPath"),
            "vault_address": vault_address,
            "vault_ca_certificate": root.require_output("vaultCaCertificate"),
        },
        opts=pulumi.ResourceOptions(
            providers=[
                in_vault,
                kubernetes.Provider(cluster, kubeconfig=kubeconfig, context=context),
            ]
        ),
    )
    pulumi.export(cluster, {"role": trust.role_name, "authMount": trust.auth_mount_path})
