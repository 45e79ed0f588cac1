"""Where one cluster's istiod agent logs in to Vault, and as what."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault

from .known_values import known_after
from .names import auth_mount_path, role_name
from .validation import (
    InvalidInputError,
    require_dns_label,
    require_server_address,
    require_vault_path,
    require_whole_number,
)


class ClusterAuthMountArgs(TypedDict):
    """The cluster's API server, the accounts that may log in, and what they get."""

    cluster: str
    """Name of the workload cluster, an RFC 1123 label."""
    kubernetes_host: str
    """Address of the cluster's API server as Vault reaches it, `https://host[:port]`."""
    kubernetes_ca_certificate: pulumi.Input[str]
    """CA certificates that the API server's certificate chains to, PEM."""
    token_reviewer_jwt: pulumi.Input[str]
    """Token of a service account that may review tokens; treated as secret."""
    policies: Sequence[pulumi.Input[str]]
    """Names of the policies that a login carries; at least one."""
    service_account_names: Sequence[pulumi.Input[str]]
    """Service accounts that may log in; at least one, no wildcard."""
    service_account_namespaces: Sequence[pulumi.Input[str]]
    """Namespaces of those accounts; at least one, no wildcard."""
    audience: NotRequired[str]
    """Audience that a token must have; whichever the API server takes when absent."""
    token_ttl_seconds: NotRequired[int]
    """Lifetime of a login, in seconds; 3600 when absent. A handshake takes less than a second."""
    mount_path: NotRequired[str]
    """Path of the auth mount below `auth/`; `kube-<cluster>-mesh-auth` when absent."""
    role_name: NotRequired[str]
    """Name of the role; `gen-int-ca-istio-<cluster>-mesh` when absent."""


class ClusterAuthMount(pulumi.ComponentResource):
    """A Kubernetes auth mount of one cluster with the role of its istiod agent."""

    mount_path: pulumi.Output[str]
    """Path of the auth mount below `auth/`, known once it is configured."""
    role_name: pulumi.Output[str]
    """Name of the role."""

    def __init__(
        self, name: str, args: ClusterAuthMountArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers auth mount, its configuration and the role.

        Raises:
            InvalidInputError: a name, address or lifetime is not usable, or a list is empty.
        """
        cluster = require_dns_label("cluster", args["cluster"])
        mount_path = require_vault_path(
            "mount_path", args.get("mount_path", auth_mount_path(cluster))
        )
        name_of_role = require_vault_path("role_name", args.get("role_name", role_name(cluster)))
        kubernetes_host = require_server_address("kubernetes_host", args["kubernetes_host"])
        if not args["policies"]:
            raise InvalidInputError("policies", args["policies"], "name at least one policy")
        accounts = _require_labels("service_account_names", args["service_account_names"])
        namespaces = _require_labels(
            "service_account_namespaces", args["service_account_namespaces"]
        )
        reviewer_jwt: pulumi.Output[str] = pulumi.Output.secret(args["token_reviewer_jwt"])
        ca_certificate = args["kubernetes_ca_certificate"]
        token_ttl_seconds = require_whole_number(
            "token_ttl_seconds", args.get("token_ttl_seconds", 3600), minimum=60, unit="seconds"
        )

        super().__init__("mesh-trust:index:ClusterAuthMount", name, None, opts)

        mount = vault.AuthBackend(
            f"{name}-mount",
            path=mount_path,
            type="kubernetes",
            description=f"Logins of istiod agents in {cluster}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Vault replaces this configuration as a whole at every write, so all of it is always given.
        config = vault.kubernetes.AuthBackendConfig(
            f"{name}-config",
            backend=known_after(mount_path, mount),
            kubernetes_host=kubernetes_host,
            kubernetes_ca_cert=ca_certificate,
            token_reviewer_jwt=reviewer_jwt,
            disable_local_ca_jwt=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        role = vault.kubernetes.AuthBackendRole(
            f"{name}-role",
            backend=known_after(mount_path, mount),
            role_name=name_of_role,
            bound_service_account_names=accounts,
            bound_service_account_namespaces=namespaces,
            audience=args.get("audience"),
            token_policies=args["policies"],
            token_ttl=token_ttl_seconds,
            token_max_ttl=token_ttl_seconds,
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.mount_path = known_after(mount_path, config)
        self.role_name = known_after(name_of_role, role)
        self.register_outputs({"mount_path": self.mount_path, "role_name": self.role_name})


def _require_labels(field: str, values: Sequence[pulumi.Input[str]]) -> list[pulumi.Input[str]]:
    if not values:
        raise InvalidInputError(field, values, "name at least one; an empty list admits nobody")
    for value in values:
        if isinstance(value, str):
            require_dns_label(field, value)
    return list(values)
