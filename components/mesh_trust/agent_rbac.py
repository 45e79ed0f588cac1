"""What Vault and istiod's agent may do in one workload cluster."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from .istiod_accounts import istiod_service_accounts
from .names import ISTIO_NAMESPACE
from .rbac_rules import agent_policy_rules
from .reviewer_token import require_token_source
from .token_reviewer import RBAC_API_GROUP, TokenReviewer, bind_reviewers, subjects_of
from .validation import InvalidInputError, require_dns_label, require_one_of

REVIEWER_MODES = ("token", "client", "jwt")
AGENT_ROLE_NAME = "gloo-mesh-istiod-agent"
"""Name of the agent's ClusterRole and of its binding, where no other is asked for."""


class AgentRbacArgs(TypedDict):
    """The accounts; absence means those of a default Istio installation."""

    istio_namespace: NotRequired[str]
    """Namespace of all istiods of the cluster; `istio-system` when absent."""
    istio_revisions: NotRequired[Sequence[str]]
    """Revisions of istiod, each of which has a service account of its own; at least one, and
    `["default"]` when absent."""
    istiod_service_account: NotRequired[str | None]
    """With one revision: service account that istiod and its agent run as; the one that Istio gives
    to the revision when absent."""
    permitted_elsewhere: NotRequired[Sequence[str]]
    """Those of the accounts whose agent gets its permissions by other means, as by Gloo's chart (an
    AgentRelease); none when absent."""
    reviewer_mode: NotRequired[str]
    """How Vault checks tokens of the cluster: `token` (when absent), as an account of its own, by
    a token Secret; `client`, as the account that logs in, which is istiod's; `jwt`, without asking
    the cluster, so that nobody needs to review tokens."""
    reviewer_name: NotRequired[str]
    """Mode `token`: name of the service account that reviews tokens for Vault, of its Secret and of
    its binding; `vault-token-reviewer` when absent. In mode `client` the binding is named after
    it, with `-client` at its end."""
    reviewer_token: NotRequired[str]
    """Mode `token`: `created` (when absent) makes a token Secret for the reviewer's account;
    `automatic` takes the one that Kubernetes 1.23 and older make for every account by themselves,
    and name in its field `secrets`."""
    reviewer_token_secret: NotRequired[str | None]
    """Mode `token`: name of a token Secret of the account `reviewer_name`, where both are there
    already. When absent, the account is made."""
    agent_role_name: NotRequired[str]
    """Name of the agent's ClusterRole and of its binding; `gloo-mesh-istiod-agent` when absent."""


class AgentRbac(pulumi.ComponentResource):
    """A token reviewer for Vault, and the permissions of istiod's agent on Gloo's resources."""

    reviewer_jwt: pulumi.Output[str | None]
    """The reviewer's token; secret. It may review tokens in this cluster, and nothing else. None
    in the modes `client` and `jwt`."""
    istiod_service_accounts: pulumi.Output[Sequence[str]]
    """Service accounts that the agents run as, by revision, known once their permissions are
    granted; those that are granted elsewhere are known at once."""

    def __init__(
        self, name: str, args: AgentRbacArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers accounts, roles and bindings.

        Raises:
            InvalidInputError: a name is not one that Kubernetes takes, or a field is not known or
                does not go with the others.
        """
        namespace = require_dns_label(
            "istio_namespace", args.get("istio_namespace", ISTIO_NAMESPACE)
        )
        istiods = istiod_service_accounts(args)
        elsewhere = _elsewhere(args, istiods)
        reviewer_name = require_dns_label(
            "reviewer_name", args.get("reviewer_name", "vault-token-reviewer")
        )
        agent_role_name = require_dns_label(
            "agent_role_name", args.get("agent_role_name", AGENT_ROLE_NAME)
        )

        mode = require_one_of("reviewer_mode", args.get("reviewer_mode", "token"), REVIEWER_MODES)
        source, secret_name = require_token_source(
            mode, args.get("reviewer_token"), args.get("reviewer_token_secret")
        )

        super().__init__("mesh-trust:index:AgentRbac", name, None, opts)

        self.reviewer_jwt = pulumi.Output.secret(None)
        self.istiod_service_accounts = pulumi.Output.from_input(istiods)
        bound = [istiod for istiod in istiods if istiod not in elsewhere]
        if bound:
            self.istiod_service_accounts = self._agents(
                name, agent_role_name, bound, namespace
            ).apply(lambda _: istiods)
        if mode == "token":
            reviewer = TokenReviewer(name, reviewer_name, namespace, self)
            self.reviewer_jwt = (
                reviewer.made(source) if secret_name is None else reviewer.present(secret_name)
            )
        elif mode == "client":
            # Not the other modes' binding: while Vault changes over, both are needed.
            binding = bind_reviewers(
                f"{name}-client-binding", f"{reviewer_name}-client", istiods, namespace, self
            )
            # An account is of use to Vault only with the binding in place.
            self.istiod_service_accounts = pulumi.Output.all(
                self.istiod_service_accounts, binding.subjects
            ).apply(lambda resolved: list(resolved[0]))
        self.register_outputs(
            {
                "reviewer_jwt": self.reviewer_jwt,
                "istiod_service_accounts": self.istiod_service_accounts,
            }
        )

    def _agents(
        self, name: str, role_name: str, istiods: Sequence[str], namespace: str
    ) -> pulumi.Output[Sequence[kubernetes.rbac.v1.outputs.Subject]]:
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
                api_group=RBAC_API_GROUP, kind="ClusterRole", name=role.metadata.name
            ),
            subjects=subjects_of(istiods, namespace),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return binding.subjects


def _elsewhere(args: AgentRbacArgs, istiods: Sequence[str]) -> Sequence[str]:
    elsewhere = args.get("permitted_elsewhere", ())
    for account in elsewhere:
        if account not in istiods:
            raise InvalidInputError(
                "permitted_elsewhere", account, f"name accounts of istiod: {', '.join(istiods)}"
            )
    return elsewhere
