"""What Vault and istiod's agent may do in one workload cluster."""

import base64
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from .names import ISTIO_NAMESPACE, istiod_service_account
from .rbac_rules import agent_policy_rules
from .validation import require_dns_label

_RBAC_API_GROUP = "rbac.authorization.k8s.io"


class AgentRbacArgs(TypedDict):
    """The accounts; absence means those of a default Istio installation."""

    istio_namespace: NotRequired[str]
    """Namespace of istiod; `istio-system` when absent."""
    istiod_service_account: NotRequired[str]
    """Service account that istiod and its agent run as; `istiod` when absent."""
    reviewer_name: NotRequired[str]
    """Name of the service account that reviews tokens for Vault, of its Secret and of its binding;
    `vault-token-reviewer` when absent."""
    agent_role_name: NotRequired[str]
    """Name of the agent's ClusterRole and of its binding; `gloo-mesh-istiod-agent` when absent."""


class AgentRbac(pulumi.ComponentResource):
    """A token reviewer for Vault, and the permissions of istiod's agent on Gloo's resources."""

    reviewer_jwt: pulumi.Output[str]
    """The reviewer's token; secret. It may review tokens in this cluster, and nothing else."""
    istiod_service_account: pulumi.Output[str]
    """Service account that the agent runs as, known once its permissions are granted."""

    def __init__(
        self, name: str, args: AgentRbacArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers accounts, roles and bindings.

        Raises:
            InvalidInputError: a name is not one that Kubernetes takes.
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

        super().__init__("mesh-trust:index:AgentRbac", name, None, opts)

        self.reviewer_jwt = self._token_reviewer(name, reviewer_name, namespace)
        self.istiod_service_account = self._agent(name, agent_role_name, istiod, namespace)
        self.register_outputs(
            {
                "reviewer_jwt": self.reviewer_jwt,
                "istiod_service_account": self.istiod_service_account,
            }
        )

    def _token_reviewer(self, name: str, reviewer_name: str, namespace: str) -> pulumi.Output[str]:
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-reviewer",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=reviewer_name, namespace=namespace),
            # Vault presents the token from outside; no pod needs it mounted.
            automount_service_account_token=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        binding = kubernetes.rbac.v1.ClusterRoleBinding(
            f"{name}-reviewer-binding",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=reviewer_name),
            role_ref=kubernetes.rbac.v1.RoleRefArgs(
                api_group=_RBAC_API_GROUP, kind="ClusterRole", name="system:auth-delegator"
            ),
            subjects=[
                kubernetes.rbac.v1.SubjectArgs(
                    kind="ServiceAccount", name=account.metadata.name, namespace=namespace
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Kubernetes 1.24 and newer make no token Secret of their own accord.
        token = kubernetes.core.v1.Secret(
            f"{name}-reviewer-token",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=reviewer_name,
                namespace=namespace,
                annotations={"kubernetes.io/service-account.name": account.metadata.name},
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


def _token_in(data: Mapping[str, str] | None, secret: str) -> str:
    if not data or "token" not in data:
        raise pulumi.RunError(
            f"Secret {secret} has no token: the cluster's token controller has to fill it"
        )
    return base64.b64decode(data["token"]).decode()
