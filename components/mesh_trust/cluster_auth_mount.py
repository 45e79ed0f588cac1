"""Where one cluster's istiod agent logs in to Vault, and as what."""

from typing import NotRequired

import pulumi
import pulumi_vault as vault

from .known_values import known_after
from .login_role import LoginRole, LoginRoleArgs
from .names import auth_mount_path
from .never_overwrite import never_overwriting
from .validation import (
    InvalidInputError,
    require_audience,
    require_dns_label,
    require_one_of,
    require_server_address,
)

REVIEWER_MODES = ("token", "client")


class ClusterAuthMountArgs(LoginRoleArgs):
    """The cluster's API server, the accounts that may log in, and what they get."""

    kubernetes_host: str
    """Address of the cluster's API server as Vault reaches it, `https://host[:port]`."""
    kubernetes_ca_certificate: pulumi.Input[str]
    """CA certificates that the API server's certificate chains to, PEM."""
    reviewer_mode: NotRequired[str]
    """Who asks the API server about a token: `token` (when absent), the account of
    `token_reviewer_jwt`; `client`, whoever logs in, with the token in question, so that Vault keeps
    no token of the cluster. The accounts then need to be allowed to review tokens themselves."""
    token_reviewer_jwt: NotRequired[pulumi.Input[str]]
    """Mode `token`: token of a service account that may review tokens; treated as secret."""
    audience: NotRequired[str | None]
    """Audience that a token must have; whichever the API server takes when absent. In mode `client`
    the token has to have one of the API server's as well."""
    mount_path: NotRequired[str]
    """Path of the auth mount below `auth/`; `kube-<cluster>-mesh-auth` when absent."""


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
        kubernetes_host = require_server_address("kubernetes_host", args["kubernetes_host"])
        audience = require_audience("audience", args.get("audience"))
        role_args = LoginRole.of(args, auth_mount_path(cluster))
        reviewer_jwt = _reviewer_jwt(args)
        ca_certificate = args["kubernetes_ca_certificate"]

        super().__init__("mesh-trust:index:ClusterAuthMount", name, None, never_overwriting(opts))

        mount = vault.AuthBackend(
            f"{name}-mount",
            path=role_args.mount_path,
            type="kubernetes",
            description=f"Logins of istiod agents in {cluster}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Vault replaces this configuration as a whole at every write, so all of it is always given.
        # Without a reviewer's token, only `disable_local_ca_jwt` keeps it from using that of the
        # pod it runs in, which is an account of another cluster.
        config = vault.kubernetes.AuthBackendConfig(
            f"{name}-config",
            backend=known_after(role_args.mount_path, mount),
            kubernetes_host=kubernetes_host,
            kubernetes_ca_cert=ca_certificate,
            token_reviewer_jwt=reviewer_jwt,
            disable_local_ca_jwt=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        role = vault.kubernetes.AuthBackendRole(
            f"{name}-role",
            backend=known_after(role_args.mount_path, mount),
            role_name=role_args.role_name,
            bound_service_account_names=role_args.service_account_names,
            bound_service_account_namespaces=role_args.service_account_namespaces,
            audience=audience,
            token_policies=role_args.policies,
            token_ttl=role_args.token_ttl_seconds,
            token_max_ttl=role_args.token_ttl_seconds,
            token_no_default_policy=role_args.token_no_default_policy,
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.mount_path = known_after(role_args.mount_path, config)
        self.role_name = known_after(role_args.role_name, role)
        self.register_outputs({"mount_path": self.mount_path, "role_name": self.role_name})


def _reviewer_jwt(args: ClusterAuthMountArgs) -> pulumi.Output[str] | None:
    mode = require_one_of("reviewer_mode", args.get("reviewer_mode", "token"), REVIEWER_MODES)
    given = args.get("token_reviewer_jwt")
    if mode == "client" and given is not None:
        raise InvalidInputError(
            "token_reviewer_jwt", "…", "leave it out in reviewer_mode client: Vault would use it"
        )
    if mode == "client":
        return None
    if given is None:
        raise InvalidInputError(
            "token_reviewer_jwt", given, "give it, or choose reviewer_mode client"
        )
    return pulumi.Output.secret(given)
