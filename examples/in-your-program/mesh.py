"""A component of your own with those of mesh-trust in it."""

import pulumi
import pulumi_vault as vault

from mesh_trust import ApiServer, ClusterTrust, RootPki


class MeshTrust(pulumi.ComponentResource):
    """The root of an environment and one cluster's way to it, under names of your own.

    Needs a `vault` and a `kubernetes` provider. What it is given, the components in it have too:
    providers and `protect`.
    """

    root_certificate: pulumi.Output[str]
    login: pulumi.Output[str]
    """Path at which istiod's agent logs in."""

    def __init__(
        self,
        name: str,
        *,
        environment: str,
        cluster: str,
        server: ApiServer,
        vault_address: str,
        vault_ca_certificate: str,
        protect: bool,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("example:index:MeshTrust", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        root = RootPki(
            f"{name}-root",
            {
                "generate": {"common_name": f"Mesh root of {environment}"},
                "mount_path": f"{environment}/mesh-root",
                "protect": protect,
            },
            opts=inside,
        )
        trust = ClusterTrust(
            f"{name}-{cluster}",
            {
                "cluster": cluster,
                "kubernetes_host": server.address,
                "kubernetes_ca_certificate": server.ca_certificate,
                "ca_path": root.ca_path,
                "vault_address": vault_address,
                "vault_ca_certificate": vault_ca_certificate,
                "intermediate_mount_path": f"{environment}/mesh-{cluster}",
                "auth_mount_path": f"{environment}/mesh-{cluster}",
                "role_name": "istiod",
                "policy_name": f"{environment}-mesh-{cluster}",
            },
            opts=inside,
        )
        # What is yours may need what is the components'.
        vault.Policy(
            f"{name}-auditors",
            name=f"{environment}-mesh-auditors",
            policy=root.mount_path.apply(
                lambda path: f'path "{path}/issuers" {{ capabilities = ["list"] }}'
            ),
            opts=inside,
        )
        self.root_certificate = root.certificate_pem
        self.login = pulumi.Output.concat("auth/", trust.auth_mount_path, "/login")
        self.register_outputs({"root_certificate": self.root_certificate, "login": self.login})
