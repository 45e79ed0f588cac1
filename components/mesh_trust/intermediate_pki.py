"""Where one cluster makes its intermediate CA requests, and the policy to do so."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_vault as vault

from .known_values import known_after
from .names import csr_path, intermediate_mount_path, role_name, signing_mount_path
from .never_overwrite import never_overwriting
from .validation import (
    InvalidInputError,
    once_known,
    require_dns_label,
    require_one_of,
    require_vault_path,
)
from .vault_policy import (
    DENIED_SIGNING_PARAMETERS,
    GUIDE,
    LEAST_PRIVILEGE,
    POLICIES,
    agent_policy,
    guide_agent_policy,
    require_parameters,
)


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
    policy: NotRequired[str]
    """What the policy allows: `least-privilege` (when absent), the two requests of a handshake;
    `guide`, what Gloo's published guide does."""
    denied_parameters: NotRequired[Sequence[str] | None]
    """Parameters that `least-privilege` refuses when a request is to be signed; when absent those
    by which an agent could outgrow its mount. An empty list refuses none."""


class IntermediatePki(pulumi.ComponentResource):
    """A PKI mount for one cluster's intermediate CA requests, and its istiod agent's policy."""

    mount_path: pulumi.Output[str]
    """Path of the mount."""
    csr_path: pulumi.Output[str]
    """API path, without `/v1`, at which the cluster makes its requests."""
    policy_name: pulumi.Output[str]
    """Name of the policy that allows one cluster's handshake."""

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
        policy_kind, _ = policy_choice(args)
        ca_path = args["ca_path"]
        if isinstance(ca_path, str):
            require_vault_path("ca_path", ca_path)
            if policy_kind == GUIDE:
                signing_mount_path(ca_path)

        super().__init__("mesh-trust:index:IntermediatePki", name, None, never_overwriting(opts))

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
            policy=pulumi.Output.all(self.mount_path, ca_path).apply(
                lambda paths: once_known(policy_text, args, *paths)
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


def policy_text(args: Mapping[str, Any], mount_path: str, ca_path: str) -> str:
    """The rules of the policy for requests in `mount_path` that are signed at `ca_path`.

    Raises:
        InvalidInputError: the kind of policy is not known, or a path could widen it.
    """
    kind, denied_parameters = policy_choice(args)
    if kind == GUIDE:
        return guide_agent_policy(mount_path, signing_mount_path(ca_path))
    return agent_policy(csr_path(mount_path), ca_path, denied_parameters)


def policy_choice(args: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The kind of policy, and the parameters that it refuses.

    Raises:
        InvalidInputError: the kind is not known, or refuses nothing and is asked to.
    """
    kind = require_one_of("policy", args.get("policy", LEAST_PRIVILEGE), POLICIES)
    given = args.get("denied_parameters")
    denied = require_parameters(
        "denied_parameters", DENIED_SIGNING_PARAMETERS if given is None else given
    )
    if kind == GUIDE and given is not None:
        raise InvalidInputError(
            "denied_parameters", list(denied), "leave it out: the guide's policy refuses none"
        )
    return kind, denied
