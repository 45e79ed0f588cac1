"""The trust of a cluster among what else you make there: your providers, names, rules and outputs.

Change: everything. mesh.py is where the components of mesh-trust are.
"""

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault
from mesh import MeshTrust

from mesh_trust import api_server, ca_certificates

config = pulumi.Config()
environment = config.require("environment")
kubeconfig, context = config.require("kubeconfig"), config.require("context")
vault_address, vault_ca_file = config.require("vaultAddress"), config.require("vaultCaFile")
protect = config.require_bool("protect")


def labelled(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Whatever is made in the cluster says whose it is, the components' objects as well."""
    if not args.type_.startswith("kubernetes:"):
        return None
    metadata = args.props["metadata"]
    labels = {**(metadata.get("labels") or {}), "team": "platform"}
    return pulumi.ResourceTransformResult(
        {**args.props, "metadata": {**metadata, "labels": labels}}, args.opts
    )


pulumi.runtime.register_resource_transform(labelled)

in_cluster = kubernetes.Provider("cluster", kubeconfig=kubeconfig, context=context)
in_vault = vault.Provider("vault", address=vault_address, ca_cert_file=vault_ca_file)

# Something of yours.
shop = kubernetes.core.v1.Namespace(
    "shop",
    metadata=kubernetes.meta.v1.ObjectMetaArgs(name="shop"),
    opts=pulumi.ResourceOptions(provider=in_cluster),
)

mesh = MeshTrust(
    "mesh",
    environment=environment,
    cluster="east",
    server=api_server(kubeconfig, context),
    vault_address=vault_address,
    vault_ca_certificate=ca_certificates(vault_ca_file, "vaultCaFile"),
    protect=protect,
    # To the components inside, too: a parent's protection is its children's.
    opts=pulumi.ResourceOptions(providers=[in_vault, in_cluster], protect=protect),
)

pulumi.export("namespace", shop.metadata.name)
pulumi.export("meshRoot", mesh.root_certificate)
pulumi.export("meshLogin", mesh.login)
