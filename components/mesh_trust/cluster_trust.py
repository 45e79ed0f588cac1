"""Everything that makes one workload cluster get its intermediate CA from Vault."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi

from .agent_permissions import permitted_accounts, release_args
from .agent_rbac import AgentRbac, AgentRbacArgs
from .cluster_login import (
    ApiServerAccess,
    ClusterLogin,
    auth_mount,
    check_login,
    reviewer_args,
)
from .cluster_trust_args import ClusterTrustArgs
from .cluster_trust_policy import cluster_meshes, cluster_policy_args
from .gloo_certificates import GLOO_LIFETIME_DAYS
from .intermediate_pki import IntermediatePki, IntermediatePkiArgs, policy_choice
from .istiod_accounts import istiod_service_accounts
from .istiod_agents import (
    check_istiod_agent_choices,
    istiod_agents,
)
from .mesh_selectors import apply_to_meshes
from .names import DEFAULT_REVISION, GLOO_NAMESPACE, ISTIO_NAMESPACE
from .never_overwrite import never_overwriting
from .root_trust_policy import RootTrustPolicy
from .trust_policy_choices import check_trust_policy_choices
from .trusted_roots import check_trusted_roots, trusted_roots
from .validation import (
    InvalidInputError,
    require_dns_label,
    require_server_address,
    require_vault_path,
    require_whole_number,
)

_NAMES = ("intermediate_mount_path", "auth_mount_path", "role_name", "policy_name")


class ClusterTrust(pulumi.ComponentResource):
    """The trust of one workload cluster: mounts, role, policy, permissions, RootTrustPolicy, agent.

    Needs a `vault` and a `kubernetes` provider; the latter decides which cluster is meant.
    """

    auth_mount_path: pulumi.Output[str]
    """Auth mount below `auth/` at which the cluster's agent logs in."""
    intermediate_mount_path: pulumi.Output[str]
    """Secrets mount in which the cluster makes its requests."""
    role_name: pulumi.Output[str]
    """Role that the agent takes on."""
    policy_name: pulumi.Output[str]
    """Vault policy that the role carries."""
    istiod_manifests: pulumi.Output[Mapping[str, str]]
    """With a `resource` in `istiod_agent`: that with the agent in it, YAML, by revision."""

    def __init__(
        self, name: str, args: ClusterTrustArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers the parts.

        Raises:
            InvalidInputError: a field is not usable.
        """
        # Checked here as well: a part that refuses its input would come after its siblings.
        cluster = require_dns_label("cluster", args["cluster"])
        api_server = _api_server(args)
        istio_namespace = require_dns_label(
            "istio_namespace", args.get("istio_namespace", ISTIO_NAMESPACE)
        )
        revisions = args.get("istio_revisions", [DEFAULT_REVISION])
        accounts = istiod_service_accounts(args)
        release = release_args(args.get("agent_permissions"), accounts, istio_namespace)
        require_whole_number(
            "intermediate_lifetime_days",
            args.get("intermediate_lifetime_days", GLOO_LIFETIME_DAYS),
            minimum=1,
            unit="days",
        )
        ca_path, vault_address = args["ca_path"], args["vault_address"]
        if isinstance(vault_address, str):
            require_server_address("vault_address", vault_address, allow_http=True)
        apply_to_meshes(cluster_meshes(args))
        policy_choices = check_trust_policy_choices(args.get("trust_policy", {}))
        roots = check_trusted_roots(args.get("trusted_roots", {}))
        agent = _agent_choices(args, revisions)
        login = args.get("login", ClusterLogin())
        check_login(login)
        policy_choice(args)
        vault_namespace = args.get("vault_namespace")
        if vault_namespace is not None:
            require_vault_path("vault_namespace", vault_namespace)
        for field, value in _renamed(args, {field: field for field in _NAMES}).items():
            require_vault_path(field, value)

        super().__init__("mesh-trust:index:ClusterTrust", name, None, never_overwriting(opts))

        rbac = AgentRbac(
            f"{name}-rbac",
            {
                "istio_namespace": istio_namespace,
                **_istiods(args),
                "permitted_elsewhere": accounts[:1] if release else [],
                **reviewer_args(login),
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        permitted = permitted_accounts(
            f"{name}-agent", release, rbac.istiod_service_accounts, parent=self
        )
        intermediate = IntermediatePki(
            f"{name}-intermediate",
            _intermediate_args(args),
            opts=pulumi.ResourceOptions(parent=self),
        )
        auth = auth_mount(
            f"{name}-auth",
            login,
            {
                "cluster": cluster,
                "policies": [intermediate.policy_name],
                "service_account_names": [permitted[index] for index in range(len(accounts))],
                "service_account_namespaces": [istio_namespace],
                **_renamed(args, {"auth_mount_path": "mount_path", "role_name": "role_name"}),
            },
            rbac,
            api_server,
            parent=self,
        )
        policy_provider = policy_choices.get("provider")
        trust_policy = RootTrustPolicy(
            f"{name}-trust",
            cluster_policy_args(
                args,
                intermediate.csr_path,
                auth.mount_path,
                auth.role_name,
                trusted_roots(
                    name,
                    cluster,
                    policy_choices.get("namespace", GLOO_NAMESPACE),
                    roots,
                    pulumi.ResourceOptions(parent=self, provider=policy_provider),
                ),
            ),
            opts=pulumi.ResourceOptions(
                parent=self, providers=None if policy_provider is None else [policy_provider]
            ),
        )

        self.istiod_manifests = pulumi.Output.from_input({})
        if agent is not None:
            trust = {
                "root": args["root_certificate_pem"],
                "vault": vault_address,
                "vault_ca": args.get("vault_ca_certificate") or "",
                "vault_namespace": vault_namespace or "",
                "ca_path": ca_path,
                "csr_path": intermediate.csr_path,
                "auth_mount": auth.mount_path,
                "role": auth.role_name,
                # Not before the policy is there for the agent to read.
                "policy": trust_policy.policy_id,
            }
            self.istiod_manifests = istiod_agents(
                f"{name}-istiod",
                agent,
                revisions,
                istio_namespace,
                pulumi.Output.all(**trust),
                parent=self,
            )
        self.auth_mount_path = auth.mount_path
        self.intermediate_mount_path = intermediate.mount_path
        self.role_name = auth.role_name
        self.policy_name = intermediate.policy_name
        self.register_outputs(
            {
                "auth_mount_path": self.auth_mount_path,
                "intermediate_mount_path": self.intermediate_mount_path,
                "role_name": self.role_name,
                "policy_name": self.policy_name,
                "istiod_manifests": self.istiod_manifests,
            }
        )


def _api_server(args: ClusterTrustArgs) -> ApiServerAccess | None:
    """What Vault asks about tokens; None where it asks nobody."""
    if args.get("login", ClusterLogin()).get("reviewer_mode") == "jwt":
        return None
    host, certificate = args.get("kubernetes_host"), args.get("kubernetes_ca_certificate")
    if certificate is None:
        raise InvalidInputError(
            "kubernetes_ca_certificate", None, "give it: Vault has to check who answers it"
        )
    return ApiServerAccess(require_server_address("kubernetes_host", host or ""), certificate)


def _agent_choices(args: ClusterTrustArgs, revisions: Sequence[str]) -> dict[str, Any] | None:
    choices = args.get("istiod_agent")
    if choices is None:
        return None
    if args.get("root_certificate_pem") is None:
        raise InvalidInputError("root_certificate_pem", None, "give it with istiod_agent")
    return check_istiod_agent_choices(choices, revisions)


def _istiods(args: ClusterTrustArgs) -> AgentRbacArgs:
    fields = ("istio_revisions", "istiod_service_account")
    return cast(AgentRbacArgs, _renamed(args, {field: field for field in fields}))


def _intermediate_args(args: ClusterTrustArgs) -> IntermediatePkiArgs:
    same = {field: field for field in ("cluster", "ca_path", "policy", "denied_parameters")}
    named = {"intermediate_mount_path": "mount_path", "policy_name": "policy_name"}
    return cast(IntermediatePkiArgs, _renamed(args, {**same, **named}))


def _renamed(args: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Those of `fields` that are given, by the names that a part has for them."""
    return {of_part: args[field] for field, of_part in fields.items() if field in args}
