"""The trust of one workload cluster: a new root in a Vault that is there, and the way to it.

Change: the root's name below; everything else is in the stack's configuration.
"""

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

from mesh_trust import ClusterTrust, RootCa, RootPki, api_server, ca_certificates

config = pulumi.Config()
cluster = config.require("cluster")
kubeconfig, context = config.require("kubeconfig"), config.require("context")
vault_address, vault_ca_file = config.require("vaultAddress"), config.require("vaultCaFile")
protect = config.require_bool("protect")

# Where things are made. Vault's token comes from VAULT_TOKEN, and is in no file.
in_cluster = kubernetes.Provider("cluster", kubeconfig=kubeconfig, context=context)
in_vault = vault.Provider("vault", address=vault_address, ca_cert_file=vault_ca_file)

# The root: a key and a certificate that Pulumi makes and keeps, encrypted, in the stack's state.
root = RootCa(
    "root",
    {"common_name": "Mesh root", "organization": "Example", "protect": protect},
)
root_pki = RootPki(
    "root-pki",
    {
        "certificate_pem": root.certificate_pem,
        "private_key_pem": root.private_key_pem,
        "protect": protect,
    },
    opts=pulumi.ResourceOptions(providers=[in_vault]),
)

# The cluster. Vault asks its API server about the tokens with which istiod's agent logs in.
server = api_server(kubeconfig, context)
trust = ClusterTrust(
    cluster,
    {
        "cluster": cluster,
        "kubernetes_host": server.address,
        "kubernetes_ca_certificate": server.ca_certificate,
        "ca_path": root_pki.ca_path,
        "vault_address": vault_address,
        "vault_ca_certificate": ca_certificates(vault_ca_file, "vaultCaFile"),
    },
    opts=pulumi.ResourceOptions(providers=[in_vault, in_cluster]),
)

pulumi.export("rootCertificate", root_pki.certificate_pem)
pulumi.export("role", trust.role_name)
