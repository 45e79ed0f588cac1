"""What Vault and istiod's agent may do in one workload cluster."""

import base64
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from .names import ISTIO_NAMESPACE, istiod_service_account
from .rbac_rules import agent_policy_rules
from .validation import InvalidInputError, require_dns_label, require_one_of

REVIEWER_MODES = ("token", "client", "jwt")
_ACCOUNT_ANNOTATION = "kubernetes.io/service-account.name"
_REVIEWER_ROLE = "system:auth-delegator"
_RBAC_API_GROUP = "rbac.authorization.k8s.io"


class AgentRbacArgs(TypedDict):
    """The accounts; absence means those of a default Istio installation."""

    istio_namespace: NotRequired[str]
    """Namespace of istiod; `istio-system` when absent."""
    istiod_service_account: NotRequired[str]
    """Service account that istiod and its agent run as; `istiod` when absent."""
    reviewer_mode: NotRequired[str]
    """How Vault checks tokens of the cluster: `token` (when absent), as an account of its own, by
    a token Secret; `client`, as the account that logs in, which is istiod's; `jwt`, without asking
    the cluster, so that nobody needs to review tokens."""
    reviewer_name: NotRequired[str]
    """Mode `token`: name of the service account that reviews tokens for Vault, of its Secret and of
    its binding; `vault-token-reviewer` when absent. In mode `client` the binding is named after
    it, with `-client` at its end."""
    reviewer_token_secret: NotRequired[str | None]
    """Mode `token`: name of a token Secret of the account `reviewer_name`, where both are there
    already, as before Kubernetes 1.24 every account has one. When absent, both are made."""
    agent_role_name: NotRequired[str]
    """Name of the agent's ClusterRole and of its binding; `gloo-mesh-istiod-agent` when absent."""


class AgentRbac(pulumi.ComponentResource):
    """A token reviewer for Vault, and the permissions of istiod's agent on Gloo's resources."""

    reviewer_jwt: pulumi.Output[str | None]
    """The reviewer's token; secret. It may review tokens in this cluster, and nothing else. None
    in the modes `client` and `jwt`."""
    istiod_service_account: pulumi.Output[str]
    """Service account that the agent runs as, known once its permissions are granted."""

    def __init__(
        self, name: str, args: AgentRbacArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers accounts, roles and bindings.

        Raises:
            InvalidInputError: a name is not one that Kubernetes takes, or the mode is not known.
        """
        namespace = require_dns_label(
            "istio_namespace", args.get("istio_namespace", ISTIO_NAMESPACE)
        )
        istiod = require_dns_label(
            "istiod_service_account", args.get("istiod_service_account", istiod_service_account())
        )
        reviewer_name = require_dns_label(
            "reviewer_name", args.get("reviewer_name", "vault-token-reviewer")
        )
        agent_role_name = require_dns_label(
            "agent_role_name", args.get("agent_role_name", "gloo-mesh-istiod-agent")
        )

        mode = require_one_of("reviewer_mode", args.get("reviewer_mode", "token"), REVIEWER_MODES)
        secret_name = require_token_secret(mode, args.get("reviewer_token_secret"))

        super().__init__("mesh-trust:index:AgentRbac", name, None, opts)

        self.reviewer_jwt = pulumi.Output.secret(None)
        self.istiod_service_account = self._agent(name, agent_role_name, istiod, namespace)
        if mode == "token":
            self.reviewer_jwt = (
                self._new_reviewer(name, reviewer_name, namespace)
                if secret_name is None
                else self._present_reviewer(name, reviewer_name, secret_name, namespace)
            )
        elif mode == "client":
            # Not the other modes' binding: while Vault changes over, both are needed.
            binding = self._bind_reviewer(
                f"{name}-client-binding", f"{reviewer_name}-client", istiod, namespace
            )
            # An account is of use to Vault only with the binding in place.
            self.istiod_service_account = pulumi.Output.all(
                self.istiod_service_account, binding.subjects
            ).apply(lambda resolved: str(resolved[0]))
        self.register_outputs(
            {
                "reviewer_jwt": self.reviewer_jwt,
                "istiod_service_account": self.istiod_service_account,
            }
        )

    def _new_reviewer(
        self, name: str, reviewer_name: str, namespace: str
    ) -> pulumi.Output[str | None]:
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-reviewer",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=reviewer_name, namespace=namespace),
            # Vault presents the token from outside; no pod needs it mounted.
            automount_service_account_token=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        binding = self._bind_reviewer(
            f"{name}-reviewer-binding", reviewer_name, account.metadata.name, namespace
        )
        # Kubernetes 1.24 and newer make no token Secret of their own accord.
        token = kubernetes.core.v1.Secret(
            f"{name}-reviewer-token",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=reviewer_name,
                namespace=namespace,
                annotations={_ACCOUNT_ANNOTATION: account.metadata.name},
            ),
            type="kubernetes.io/service-account-token",
            opts=pulumi.ResourceOptions(parent=self),
        )
        # A token is of use only with the binding in place, so it is handed on only then.
        return pulumi.Output.secret(
            pulumi.Output.all(token.data, binding.id).apply(
                lambda resolved: _token_in(resolved[0], f"{namespace}/{reviewer_name}")
            )
        )

    def _present_reviewer(
        self, name: str, reviewer_name: str, secret_name: str, namespace: str
    ) -> pulumi.Output[str | None]:
        binding = self._bind_reviewer(
            f"{name}-reviewer-binding", reviewer_name, reviewer_name, namespace
        )
        # Read at every preview and update, so that a token that others renew is taken up.
        secret = kubernetes.core.v1.Secret.get(
            f"{name}-present-reviewer-token",
            f"{namespace}/{secret_name}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        place = f"{namespace}/{secret_name}"
        # Checked without the binding, which a preview may not know yet.
        token = pulumi.Output.all(secret.data, secret.metadata).apply(
            lambda resolved: _token_of(resolved[0], resolved[1], place, reviewer_name)
        )
        return pulumi.Output.secret(
            pulumi.Output.all(token, binding.id).apply(lambda resolved: str(resolved[0]))
        )

    def _bind_reviewer(
        self, name: str, binding_name: str, account: pulumi.Input[str], namespace: str
    ) -> kubernetes.rbac.v1.ClusterRoleBinding:
        return kubernetes.rbac.v1.ClusterRoleBinding(
            name,
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=binding_name),
            role_ref=kubernetes.rbac.v1.RoleRefArgs(
                api_group=_RBAC_API_GROUP, kind="ClusterRole", name=_REVIEWER_ROLE
            ),
            subjects=[
                kubernetes.rbac.v1.SubjectArgs(
                    kind="ServiceAccount", name=account, namespace=namespace
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _agent(self, name: str, role_name: str, istiod: str, namespace: str) -> pulumi.Output[str]:
        role = kubernetes.rbac.v1.ClusterRole(
            f"{name}-agent-role",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=role_name),
            rules=agent_policy_rules(),
            opts=pulumi.ResourceOptions(parent=self),
        )
        binding = kubernetes.rbac.v1.ClusterRoleBinding(
            f"{name}-agent-binding",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=role_name),
            role_ref=kubernetes.rbac.v1.RoleRefArgs(
                api_group=_RBAC_API_GROUP, kind="ClusterRole", name=role.metadata.name
            ),
            subjects=[
                kubernetes.rbac.v1.SubjectArgs(
                    kind="ServiceAccount", name=istiod, namespace=namespace
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return binding.subjects.apply(lambda subjects: str(subjects[0].name))


def require_token_secret(mode: str, secret_name: str | None) -> str | None:
    """Returns `secret_name`, the token Secret of a reviewer that is there, or None for a new one.

    Raises:
        InvalidInputError: it is no name of a Secret, or the mode needs none.
    """
    if secret_name is None:
        return None
    if mode != "token":
        raise InvalidInputError(
            "reviewer_token_secret", secret_name, f"leave it out in reviewer_mode {mode}"
        )
    return require_dns_label("reviewer_token_secret", secret_name)


def _token_in(data: Mapping[str, str] | None, secret: str) -> str:
    if not data or "token" not in data:
        raise pulumi.RunError(
            f"Secret {secret} has no token: the cluster's token controller has to fill it"
        )
    return base64.b64decode(data["token"]).decode()


def _token_of(
    data: Mapping[str, str] | None, metadata: Any, secret: str, reviewer_name: str
) -> str:
    # A resource that is read, not made, gives its nested outputs as plain dictionaries.
    account = (metadata.get("annotations") or {}).get(_ACCOUNT_ANNOTATION)
    if account != reviewer_name:
        raise pulumi.RunError(
            f"Secret {secret} is the token of {account or 'no service account'}, and "
            f"reviewer_name is {reviewer_name}: name the account and its own Secret"
        )
    return _token_in(data, secret)
