"""A service account of the cluster that reviews tokens for Vault, and its token."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from .core_objects import Secret, ServiceAccount
from .reviewer_token import ACCOUNT_ANNOTATION, automatic_secret, token_in, token_of

RBAC_API_GROUP = "rbac.authorization.k8s.io"
_REVIEWER_ROLE = "system:auth-delegator"


@dataclass(frozen=True)
class TokenReviewer:
    """The reviewer of the component `parent`, whose resources are named after `name`."""

    name: str
    account: str
    namespace: str
    parent: pulumi.Resource

    def made(self, source: str) -> pulumi.Output[str | None]:
        """Registers a new account and its binding; gives its token, secret.

        `source` is one of TOKEN_SOURCES.
        """
        account = ServiceAccount(
            f"{self.name}-reviewer",
            kubernetes.meta.v1.ObjectMetaArgs(name=self.account, namespace=self.namespace),
            # Vault presents the token from outside; no pod needs it mounted.
            automount_token=False,
            opts=self._opts(),
        )
        binding = self._bind(account.metadata["name"])
        token = self._automatic(account) if source == "automatic" else self._created(account)
        return _with(token, binding)

    def present(self, secret: str) -> pulumi.Output[str | None]:
        """Registers the binding of an account that is there; gives the token in its `secret`."""
        binding = self._bind(self.account)
        place = f"{self.namespace}/{secret}"
        # Read at every preview and update, so that a token that others renew is taken up.
        read = Secret.read(f"{self.name}-present-reviewer-token", place, self._opts())
        # Checked without the binding, which a preview may not know yet.
        token = pulumi.Output.all(read.data, read.metadata).apply(
            lambda resolved: token_of(resolved[0], resolved[1], place, self.account)
        )
        return _with(token, binding)

    def _created(self, account: ServiceAccount) -> pulumi.Output[str]:
        # Kubernetes 1.24 and newer make no token Secret of their own accord.
        secret = Secret(
            f"{self.name}-reviewer-token",
            kubernetes.meta.v1.ObjectMetaArgs(
                name=self.account,
                namespace=self.namespace,
                annotations={ACCOUNT_ANNOTATION: account.metadata["name"]},
            ),
            "kubernetes.io/service-account-token",
            self._opts(),
        )
        return secret.data.apply(lambda data: token_in(data, f"{self.namespace}/{self.account}"))

    def _automatic(self, account: ServiceAccount) -> pulumi.Output[str]:
        # On a server older than 1.24 the provider waits until the account names its Secret.
        place = account.secrets.apply(
            lambda secrets: (
                f"{self.namespace}/" + automatic_secret(secrets, f"{self.namespace}/{self.account}")
            )
        )
        read = Secret.read(f"{self.name}-automatic-reviewer-token", place, self._opts())
        return pulumi.Output.all(read.data, read.metadata, place).apply(
            lambda resolved: token_of(resolved[0], resolved[1], resolved[2], self.account)
        )

    def _bind(self, account: pulumi.Input[str]) -> kubernetes.rbac.v1.ClusterRoleBinding:
        return bind_reviewers(
            f"{self.name}-reviewer-binding", self.account, [account], self.namespace, self.parent
        )

    def _opts(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self.parent)


def bind_reviewers(
    name: str,
    binding_name: str,
    accounts: Sequence[pulumi.Input[str]],
    namespace: str,
    parent: pulumi.Resource,
) -> kubernetes.rbac.v1.ClusterRoleBinding:
    """Registers the binding that lets `accounts` review tokens, and nothing else."""
    return kubernetes.rbac.v1.ClusterRoleBinding(
        name,
        metadata=kubernetes.meta.v1.ObjectMetaArgs(name=binding_name),
        role_ref=kubernetes.rbac.v1.RoleRefArgs(
            api_group=RBAC_API_GROUP, kind="ClusterRole", name=_REVIEWER_ROLE
        ),
        subjects=subjects_of(accounts, namespace),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def subjects_of(
    accounts: Sequence[pulumi.Input[str]], namespace: str
) -> list[kubernetes.rbac.v1.SubjectArgs]:
    """Service accounts of a namespace, as the subjects of a binding."""
    return [
        kubernetes.rbac.v1.SubjectArgs(kind="ServiceAccount", name=account, namespace=namespace)
        for account in accounts
    ]


def _with(
    token: pulumi.Output[str], binding: kubernetes.rbac.v1.ClusterRoleBinding
) -> pulumi.Output[str | None]:
    """The token, as a secret; it is of use only with the binding, and is handed on only then."""
    return pulumi.Output.secret(
        pulumi.Output.all(token, binding.id).apply(lambda resolved: str(resolved[0]))
    )
