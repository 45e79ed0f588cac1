"""Where one cluster makes its intermediate CA requests, and the policy to do so."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault

from .known_values import known_after
from .names import csr_path, intermediate_mount_path, role_name
from .validation import require_dns_label, require_vault_path
from .vault_policy import agent_policy


class IntermediatePkiArgs(TypedDict):
    """The cluster, and where its requests are signed."""

    cluster: str
    """Name of the workload cluster, an RFC 1123 label."""
    ca_path: pulumi.Input[str]
    """API path, without `/v1`, at which the root signs: the `ca_path` of a RootPki."""
    mount_path: NotRequired[str]
    """Path of the mount; `pki_int_<cluster>` when absent."""
    policy_name: NotRequired[str]
    """Name of the policy; `gen-int-ca-istio-<cluster>-mesh` when absent."""


class IntermediatePki(pulumi.ComponentResource):
    """A PKI mount for one cluster's intermediate CA requests, and its istiod agent's policy."""

    mount_path: pulumi.Output[str]
    """Path of the mount."""
    csr_path: pulumi.Output[str]
    """API path, without `/v1`, at which the cluster makes its requests."""
    policy_name: pulumi.Output[str]
    """Name of the policy that allows one cluster's handshake and nothing else."""

    def __init__(
        self, name: str, args: IntermediatePkiArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers mount and policy.

        Raises:
            InvalidInputError: a name or path could not be used, or could widen the policy.
        """
        cluster = require_dns_label("cluster", args["cluster"])
        mount_path = require_vault_path(
            "mount_path", args.get("mount_path", intermediate_mount_path(cluster))
        )
        policy_name = require_vault_path("policy_name", args.get("policy_name", role_name(cluster)))
        ca_path = args["ca_path"]
        if isinstance(ca_path, str):
            require_vault_path("ca_path", ca_path)

        super().__init__("mesh-trust:index:IntermediatePki", name, None, opts)

        mount = vault.Mount(
            f"{name}-mount",
            path=mount_path,
            type="pki",
            description=f"Intermediate CA requests of {cluster}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.mount_path = known_after(mount_path, mount)
        self.csr_path = known_after(csr_path(mount_path), mount)
        policy = vault.Policy(
            f"{name}-policy",
            name=policy_name,
            policy=pulumi.Output.all(self.csr_path, ca_path).apply(
                lambda paths: agent_policy(csr_path=paths[0], ca_path=paths[1])
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.policy_name = known_after(policy_name, policy)
        self.register_outputs(
            {
                "mount_path": self.mount_path,
                "csr_path": self.csr_path,
                "policy_name": self.policy_name,
            }
        )
