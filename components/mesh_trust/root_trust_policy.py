"""The Gloo resource that says where meshes get their intermediate CAs from."""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from .cluster_access import ClusterAccess
from .readiness import in_thread, until_ready
from .root_trust_policy_spec import PolicyObject, RootTrustPolicyArgs, policy_object
from .root_trust_policy_status import (
    API_VERSION,
    AWAIT_SECONDS,
    KIND,
    READS,
    AwaitStatus,
    PolicyInCluster,
)
from .warning import warn


class RootTrustPolicy(pulumi.ComponentResource):
    """Gloo's RootTrustPolicy, with Vault or a root of Gloo's as the CA.

    Needs a `kubernetes` provider, which decides where the policy is: in the workload cluster, as in
    the guide, or with those of other clusters in the management cluster.
    """

    policy_id: pulumi.Output[str]
    """The RootTrustPolicy object, `namespace/name`; with `await_status`, known in `pulumi up` once
    Gloo has accepted it."""

    def __init__(
        self, name: str, args: RootTrustPolicyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers the policy, and waits for its status where that is asked for.

        Raises:
            InvalidInputError: a field is not usable, or the selectors would pick every mesh.
        """
        policy = policy_object(args)

        super().__init__("mesh-trust:index:RootTrustPolicy", name, None, opts)

        if policy.spec["config"]["autoRestartPods"]:
            warn(
                f"{KIND} {policy.namespace}/{policy.name} lets Gloo restart all workloads of its "
                "meshes at once whenever certificates change; without auto_restart_pods you "
                "restart them as suits you"
            )
        # Its class leaves out the outputs.
        made: Any = kubernetes.apiextensions.CustomResource(
            f"{name}-policy",
            api_version=API_VERSION,
            kind=KIND,
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=policy.name, namespace=policy.namespace
            ),
            spec=policy.spec,
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.policy_id = made.id
        wait = args.get("await_status")
        if wait is not None and not pulumi.runtime.is_dry_run():
            self.policy_id = self._accepted(policy, made, wait)
        self.register_outputs({"policy_id": self.policy_id})

    def _accepted(self, policy: PolicyObject, made: Any, wait: AwaitStatus) -> pulumi.Output[str]:
        async def accepted(policy_id: str, uid: str, kubeconfig: str | None) -> str:
            seen = await in_thread(
                lambda: PolicyInCluster(
                    ClusterAccess(kubeconfig, wait.get("context"), READS),
                    policy.namespace,
                    policy.name,
                    uid,
                )
            )
            seconds = wait.get("timeout_seconds", AWAIT_SECONDS)
            ready = await until_ready(str(seen), seen.look, seconds, self._report)
            if ready.remark is not None:
                warn(ready.remark)
            return policy_id

        # Only looked with, so that the id is no secret because a kubeconfig is one.
        kubeconfig = pulumi.Output.unsecret(pulumi.Output.from_input(wait.get("kubeconfig")))
        uid = made.metadata["uid"]
        accepted_id: pulumi.Output[Any] = pulumi.Output.all(made.id, uid, kubeconfig).apply(
            lambda resolved: accepted(*resolved)
        )
        return accepted_id

    def _report(self, line: str, passing: bool) -> None:
        pulumi.log.info(line, self, ephemeral=passing)
