"""Where one cluster's istiod agent logs in to Vault when Vault has the cluster's issuer keys."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

import pulumi
import pulumi_vault as vault

from .known_values import known_after
from .login_role import LoginRole, LoginRoleArgs
from .names import KUBERNETES_ISSUER, jwt_auth_mount_path, service_account_subject
from .never_overwrite import never_overwriting
from .token_keys import require_public_keys
from .validation import (
    InvalidInputError,
    require_audience,
    require_dns_label,
    require_https_url,
)

KEY_SOURCES = ("issuer_keys", "jwks_url", "oidc_discovery_url")
ALGORITHMS = ("RS256", "ES256", "ES384", "ES512")
"""Those that Kubernetes signs service account tokens with."""


class ClusterJwtAuthMountArgs(LoginRoleArgs):
    """The cluster's issuer, the accounts that may log in, and what they get.

    Exactly one of `issuer_keys`, `jwks_url` and `oidc_discovery_url` is needed.
    """

    issuer_keys: NotRequired[Sequence[str]]
    """Public keys of the cluster's token issuer, each as PEM: `issuer_keys()` reads them from a
    file. Vault asks nobody."""
    jwks_url: NotRequired[str]
    """URL at which Vault finds the keys as a JSON Web Key Set, without a token."""
    oidc_discovery_url: NotRequired[str]
    """URL of the issuer, below which Vault finds where the keys are (OpenID Connect discovery)."""
    issuer_ca_certificate: NotRequired[pulumi.Input[str] | None]
    """CA certificates that the certificate of that URL chains to, PEM; the system's when absent."""
    issuer: NotRequired[str | None]
    """Claim `iss` of the cluster's tokens; `oidc_discovery_url` when absent, or else
    `https://kubernetes.default.svc.cluster.local`."""
    audience: NotRequired[str | None]
    """Audience that a token must have; the issuer when absent, which is that of the API server
    unless it was told otherwise."""
    mount_path: NotRequired[str]
    """Path of the auth mount below `auth/`; `jwt-<cluster>-mesh-auth` when absent."""


class ClusterJwtAuthMount(pulumi.ComponentResource):
    """A JWT auth mount of one cluster with the role of its istiod agent.

    Vault checks tokens by themselves: one whose account or pod is gone passes until it expires.
    """

    mount_path: pulumi.Output[str]
    """Path of the auth mount below `auth/`, known once it is configured."""
    role_name: pulumi.Output[str]
    """Name of the role."""

    def __init__(
        self, name: str, args: ClusterJwtAuthMountArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers auth mount and role.

        Raises:
            InvalidInputError: a name, key, URL or lifetime is not usable, or a list is empty.
        """
        cluster = require_dns_label("cluster", args["cluster"])
        keys = key_source(args)
        issuer = token_issuer(args)
        audience = require_audience("audience", args.get("audience")) or issuer
        role_args = LoginRole.of(args, jwt_auth_mount_path(cluster))

        super().__init__(
            "mesh-trust:index:ClusterJwtAuthMount", name, None, never_overwriting(opts)
        )

        mount = vault.jwt.AuthBackend(
            f"{name}-mount",
            path=role_args.mount_path,
            description=f"Logins of istiod agents in {cluster}",
            bound_issuer=issuer,
            jwt_supported_algs=ALGORITHMS,
            **keys,
            opts=pulumi.ResourceOptions(parent=self),
        )
        role = vault.jwt.AuthBackendRole(
            f"{name}-role",
            backend=known_after(role_args.mount_path, mount),
            role_name=role_args.role_name,
            role_type="jwt",
            user_claim="sub",
            bound_audiences=[audience],
            bound_claims={"sub": _subjects(role_args)},
            token_policies=role_args.policies,
            token_ttl=role_args.token_ttl_seconds,
            token_max_ttl=role_args.token_ttl_seconds,
            token_no_default_policy=role_args.token_no_default_policy,
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.mount_path = known_after(role_args.mount_path, mount)
        self.role_name = known_after(role_args.role_name, role)
        self.register_outputs({"mount_path": self.mount_path, "role_name": self.role_name})


def key_source(args: Mapping[str, Any]) -> dict[str, Any]:
    """Where the keys come from, as the auth mount takes it.

    Raises:
        InvalidInputError: no source is given, or more than one, or what is given is not usable.
    """
    given = [source for source in KEY_SOURCES if args.get(source) is not None]
    if len(given) != 1:
        raise InvalidInputError(
            given[1] if given else "issuer_keys",
            "…" if given else None,
            f"give exactly one of {', '.join(KEY_SOURCES)}",
        )
    ca_certificate = args.get("issuer_ca_certificate")
    if given == ["issuer_keys"]:
        if ca_certificate is not None:
            raise InvalidInputError(
                "issuer_ca_certificate", "…", "leave it out with issuer_keys: nobody is asked"
            )
        return {"jwt_validation_pubkeys": require_public_keys("issuer_keys", args["issuer_keys"])}
    (source,) = given
    url = require_https_url(source, args[source])
    ca_field = "jwks_ca_pem" if source == "jwks_url" else "oidc_discovery_ca_pem"
    return {source: url, ca_field: ca_certificate}


def token_issuer(args: Mapping[str, Any]) -> str:
    """The claim `iss` of the cluster's tokens.

    Raises:
        InvalidInputError: it has characters that no issuer has.
    """
    issuer = args.get("issuer") or args.get("oidc_discovery_url") or KUBERNETES_ISSUER
    return str(require_audience("issuer", issuer))


def subjects(names: Sequence[str], namespaces: Sequence[str]) -> str:
    """The claims `sub` of the service accounts that may log in, as the role has them."""
    return ",".join(
        service_account_subject(namespace, name) for namespace in namespaces for name in names
    )


def _subjects(role: LoginRole) -> pulumi.Output[str]:
    return pulumi.Output.all(
        pulumi.Output.all(*role.service_account_names),
        pulumi.Output.all(*role.service_account_namespaces),
    ).apply(lambda resolved: subjects(*resolved))
