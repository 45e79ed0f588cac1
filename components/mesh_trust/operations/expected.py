"""What the configuration of a stack has the program make, for who looks whether it is there.

All of it comes from the functions that the program itself makes it with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography import x509

from mesh_trust.cluster_jwt_auth_mount import ALGORITHMS, key_source, subjects, token_issuer
from mesh_trust.cluster_trust_policy import cluster_policy_args
from mesh_trust.environment.cluster_trusts import configured_trust
from mesh_trust.environment.present_roots import ROOT_CERTIFICATE, roots_in
from mesh_trust.intermediate_pki import policy_text
from mesh_trust.istiod_accounts import istiod_service_accounts
from mesh_trust.lifetimes import MountLifetimes
from mesh_trust.login_role import LoginRole
from mesh_trust.names import GLOO_NAMESPACE, csr_path, sign_intermediate_path
from mesh_trust.root_checks import fingerprint
from mesh_trust.root_trust_policy_spec import PolicyObject, policy_object
from mesh_trust.settings import MANAGEMENT, Cluster, Connection
from mesh_trust.trusted_roots import named_roots

from .certificates import loaded
from .errors import OperationError
from .stack import Stack
from .vault_client import vault_address


@dataclass(frozen=True)
class SigningPlace:
    """A mount whose default issuer signs."""

    path: str
    lifetimes: MountLifetimes | None
    """None: the mount is not the program's."""
    is_root: bool
    """Whether the root itself signs in it."""


@dataclass(frozen=True)
class ExpectedTrust:
    """What one workload cluster should have."""

    cluster: Cluster
    args: Mapping[str, Any]
    """Those of its ClusterTrust."""
    policy_connection: Connection
    """To the cluster that has the RootTrustPolicy."""
    generations: Sequence[str]
    """Names of the roots that the policy names, that which signs first; none where it is alone."""

    @property
    def name(self) -> str:
        """Name of the cluster."""
        return self.cluster.name

    @property
    def subject(self) -> str:
        """What findings on the cluster are about."""
        return f"cluster {self.name}"

    @property
    def mode(self) -> str:
        """The reviewer mode."""
        return self.cluster.login.get("reviewer_mode", "token")

    @property
    def accounts(self) -> Sequence[str]:
        """Service accounts of the istiods, that of the first revision first."""
        return istiod_service_accounts(self.args)

    @property
    def policy_text(self) -> str:
        """The rules of the policy in Vault."""
        return policy_text(self.args, self.cluster.names.intermediate_mount, self.args["ca_path"])

    @cached_property
    def login_role(self) -> LoginRole:
        """Who may log in, and what they get."""
        args = {
            **self.cluster.login,
            "cluster": self.name,
            "mount_path": self.cluster.names.auth_mount,
            "role_name": self.cluster.names.role,
            "policies": [self.cluster.names.policy],
            "service_account_names": self.accounts,
            "service_account_namespaces": [self.cluster.istio.namespace],
        }
        return LoginRole.of(args, self.cluster.names.auth_mount)

    @property
    def auth_type(self) -> str:
        """Type of the auth mount."""
        return "jwt" if self.mode == "jwt" else "kubernetes"

    @property
    def auth_config(self) -> dict[str, Any]:
        """Configuration of the auth mount, as Vault gives it back."""
        if self.mode == "jwt":
            source = {name: value or "" for name, value in key_source(self.cluster.login).items()}
            return {
                "bound_issuer": token_issuer(self.cluster.login),
                "jwt_supported_algs": list(ALGORITHMS),
                "jwt_validation_pubkeys": [],
                "jwks_url": "",
                "oidc_discovery_url": "",
                **source,
            }
        return {
            "kubernetes_host": self.args["kubernetes_host"],
            "kubernetes_ca_cert": self.args["kubernetes_ca_certificate"],
            "disable_local_ca_jwt": True,
            # With any, tokens would have to be signed with them.
            "pem_keys": [],
        }

    @property
    def role(self) -> dict[str, Any]:
        """The role, as Vault gives it back; what the program leaves to Vault, too."""
        role, login = self.login_role, self.cluster.login
        audience = login.get("audience") or ""
        common = {
            "token_policies": list(role.policies),
            "token_ttl": role.token_ttl_seconds,
            "token_max_ttl": role.token_ttl_seconds,
            "token_no_default_policy": bool(role.token_no_default_policy),
            "token_period": 0,
            "token_num_uses": 0,
            "token_bound_cidrs": [],
        }
        names, namespaces = self.accounts, [self.cluster.istio.namespace]
        if self.mode == "jwt":
            return {
                "role_type": "jwt",
                "user_claim": "sub",
                "bound_audiences": [audience or token_issuer(login)],
                "bound_claims": {"sub": subjects(names, namespaces).split(",")},
                "bound_claims_type": "string",
                **common,
            }
        return {
            "bound_service_account_names": list(names),
            "bound_service_account_namespaces": namespaces,
            "audience": audience,
            **common,
        }

    @property
    def policy(self) -> PolicyObject:
        """The RootTrustPolicy."""
        names = self.cluster.names
        namespace = self.args["trust_policy"].get("namespace", GLOO_NAMESPACE)
        return policy_object(
            cluster_policy_args(
                self.args,
                csr_path(names.intermediate_mount),
                names.auth_mount,
                names.role,
                named_roots(self.name, namespace, self.generations),
            )
        )


class Expected:
    """What a stack's configuration and its root make expected."""

    def __init__(self, stack: Stack) -> None:
        """Takes the stack over.

        Raises:
            OperationError: it was never updated.
        """
        self.stack = stack
        self.settings = stack.settings
        pem, address = stack.outputs.get(ROOT_CERTIFICATE), vault_address(stack)
        if pem is None or address is None:
            raise OperationError(
                f"stack {stack.name} has no root yet, so that there is nothing to verify: run "
                "`pulumi up` first"
            )
        self.root_pem = str(pem)
        self.vault_address = address

    @cached_property
    def root(self) -> x509.Certificate:
        """Certificate of the root that signs."""
        return loaded(self.root_pem)

    @property
    def trusted(self) -> frozenset[str]:
        """Fingerprints of the roots that the mesh may trust: each generation's."""
        generations = roots_in(self.stack.outputs).values()
        return frozenset(fingerprint(each.certificate) for each in generations)

    @property
    def root_place(self) -> SigningPlace:
        """The mount in which the root signs, or what signs for an external one."""
        root = self.settings.root
        if root.signing_mount is not None:
            return SigningPlace(root.signing_mount, None, False)
        longest = 0
        if root.source == "vault":
            longest = max(each.certificate_args["lifetime_days"] for each in root.generations)
        lifetimes = MountLifetimes.signing(self.settings.root_signs_for_days, longest)
        return SigningPlace(self.settings.names.root_mount, lifetimes, True)

    @property
    def signing_places(self) -> list[SigningPlace]:
        """The root's mount, and those of CAs of the clusters' own."""
        if self.settings.access.signing_ca != "cluster":
            return [self.root_place]
        lifetimes = MountLifetimes.signing(self.settings.vault.intermediate_lifetime_days)
        own = [
            SigningPlace(cluster.names.ca_mount, lifetimes, False)
            for cluster in self.settings.clusters
        ]
        return [self.root_place, *own]

    @cached_property
    def trusts(self) -> list[ExpectedTrust]:
        """What each workload cluster should have."""
        return [self._trust(cluster) for cluster in self.settings.clusters]

    @property
    def _listed_generations(self) -> list[str]:
        root = self.settings.root
        names = [each.name for each in root.generations]
        return sorted(names, key=lambda name: name != root.signing_name) if len(names) > 1 else []

    def _trust(self, cluster: Cluster) -> ExpectedTrust:
        mount = self.root_place.path
        if self.settings.access.signing_ca == "cluster":
            mount = cluster.names.ca_mount
        args = {
            **configured_trust(self.settings, cluster),
            "ca_path": sign_intermediate_path(mount),
            "vault_address": self.vault_address,
        }
        connection = cluster.connection
        if self.settings.trust_policy.placement == MANAGEMENT:
            connection = self.settings.connections[MANAGEMENT]
        return ExpectedTrust(cluster, args, connection, self._listed_generations)
