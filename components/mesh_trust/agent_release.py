"""The permissions of istiod's agent, by the Helm release of Gloo's agent in a cluster."""

import pulumi
import pulumi_kubernetes as kubernetes

from .agent_release_args import (
    AgentReleaseArgs,
    account_of,
    agent_release_args,
    check_agent_release_args,
)
from .helm_releases import RELEASE, release_kind
from .known_values import known_after
from .never_overwrite import never_overwriting
from .release_guard import guarding_values


class AgentRelease(pulumi.ComponentResource):
    """Gloo's agent as its chart installs it, with what istiod's agent needs permitted.

    A release that is there already has to be imported before; none is uninstalled.
    """

    istiod_service_account: pulumi.Output[str]
    """Service account that the agent runs as; whoever uses it comes after the release."""

    def __init__(
        self, name: str, args: AgentReleaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers the release.

        Raises:
            InvalidInputError: a field is not usable, does not go with the others, or is unknown.
        """
        check_agent_release_args(args)

        looked_for = {RELEASE: release_kind(args.get("kubeconfig"), args.get("context"))}
        super().__init__(
            "mesh-trust:index:AgentRelease", name, None, never_overwriting(opts, looked_for)
        )

        release = kubernetes.helm.v3.Release(
            f"{name}-release",
            agent_release_args(args),
            opts=pulumi.ResourceOptions(
                parent=self,
                # The agent is the user's: it was there before, and others need it.
                retain_on_delete=True,
                hooks=guarding_values(),
            ),
        )

        self.istiod_service_account = known_after(account_of(args), release)
        self.register_outputs({"istiod_service_account": self.istiod_service_account})
