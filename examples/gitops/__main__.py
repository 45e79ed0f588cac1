"""The trust of a cluster that nobody but a GitOps tool may change: its objects become YAML files.

Vault's side is made by `pulumi up`; the cluster is not touched, and no access to it is needed.
Change: istio.yaml, which is your own, and the agent's version.
"""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault
import yaml

from mesh_trust import ClusterTrust, RootPki, ca_certificates

config = pulumi.Config()
cluster = config.require("cluster")
vault_address, vault_ca_file = config.require("vaultAddress"), config.require("vaultCaFile")
try:
    istio = yaml.safe_load(Path("istio.yaml").read_text())
except (OSError, yaml.YAMLError) as error:
    raise pulumi.RunError(f"istio.yaml: {' '.join(str(error).split())}") from None

# All that is made with this provider is a file.
in_files = kubernetes.Provider("files", render_yaml_to_directory=config.require("manifests"))
in_vault = vault.Provider("vault", address=vault_address, ca_cert_file=vault_ca_file)

root_pki = RootPki(
    "root-pki",
    {"generate": {"common_name": "Mesh root"}, "protect": config.require_bool("protect")},
    opts=pulumi.ResourceOptions(providers=[in_vault]),
)

trust = ClusterTrust(
    cluster,
    {
        "cluster": cluster,
        "kubernetes_host": config.require("kubernetesHost"),
        "kubernetes_ca_certificate": ca_certificates(
            config.require("kubernetesCaFile"), "kubernetesCaFile"
        ),
        "ca_path": root_pki.ca_path,
        "vault_address": vault_address,
        "vault_ca_certificate": ca_certificates(vault_ca_file, "vaultCaFile"),
        # Vault asks with the token that it is to check, and keeps none of the cluster's: there is
        # no Secret, so nothing secret is written to a file, and nothing has to be read back.
        "login": {"reviewer_mode": "client"},
        "istiod_agent": {
            "installation": "istio-operator",
            "resource": istio,
            "version": "2.5.13",
        },
        "root_certificate_pem": root_pki.certificate_pem,
    },
    opts=pulumi.ResourceOptions(providers=[in_vault, in_files]),
)

# Your own istio.yaml with the agent beside istiod, as a file like the others.
with_agent = trust.istiod_manifests.apply(lambda manifests: yaml.safe_load(manifests["default"]))
kubernetes.apiextensions.CustomResource(
    "istio",
    api_version=istio["apiVersion"],
    kind=istio["kind"],
    metadata=istio["metadata"],
    spec=with_agent["spec"],
    opts=pulumi.ResourceOptions(provider=in_files),
)

pulumi.export("rootCertificate", root_pki.certificate_pem)
