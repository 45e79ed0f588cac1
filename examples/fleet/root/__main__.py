"""The root of a fleet: made in Vault, where its key stays, and told to the stacks of clusters.

Change: the root's name and lifetimes below.
"""

import pulumi
import pulumi_vault as vault

from mesh_trust import RootPki, ca_certificates

config = pulumi.Config()
vault_address, vault_ca_file = config.require("vaultAddress"), config.require("vaultCaFile")

root_pki = RootPki(
    "root",
    {
        "generate": {"common_name": "Fleet root", "organization": "Example"},
        "protect": config.require_bool("protect"),
    },
    opts=pulumi.ResourceOptions(
        providers=[vault.Provider("vault", address=vault_address, ca_cert_file=vault_ca_file)]
    ),
)

# What a stack of clusters has to know. There is no key among it: neither this stack has one.
pulumi.export("rootCertificate", root_pki.certificate_pem)
pulumi.export("caPath", root_pki.ca_path)
pulumi.export("vaultAddress", vault_address)
pulumi.export("vaultCaCertificate", ca_certificates(vault_ca_file, "vaultCaFile"))
