"""A trust that was set up by hand, in your own Vault and with your own root, taken over as it is.

The program describes what is there; README.md says how it comes into the stack. Change: what you
have called otherwise than the guide (`mount_path`, `intermediate_mount_path`, `auth_mount_path`,
`role_name`, `policy_name`).
"""

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

from mesh_trust import ClusterTrust, RootPki, api_server, ca_certificates

config = pulumi.Config()
cluster = config.require("cluster")
kubeconfig, context = config.require("kubeconfig"), config.require("context")
vault_address, vault_ca_file = config.require("vaultAddress"), config.require("vaultCaFile")

in_cluster = kubernetes.Provider(
    "cluster",
    kubeconfig=kubeconfig,
    context=context,
    # What others have applied becomes this program's.
    enable_patch_force=True,
)
in_vault = vault.Provider("vault", address=vault_address, ca_cert_file=vault_ca_file)

# The root that is in Vault already. Handed over once more, it is recognised: no second issuer.
root_pki = RootPki(
    "root-pki",
    {
        "certificate_pem": config.require("rootCertificate"),
        "private_key_pem": config.require_secret("rootPrivateKey"),
        # The guide's openssl command sets no key usage.
        "accept_missing_key_usage": True,
    },
    opts=pulumi.ResourceOptions(providers=[in_vault]),
)

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
pulumi.export("issuer", root_pki.issuer_id)
pulumi.export("role", trust.role_name)
