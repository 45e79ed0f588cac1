"""Gloo's agent beside istiod, which it hands a CA from Vault, and istiod rolled with its trust."""

from collections.abc import Awaitable, Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from .agent_containers import Agent, trust_digest
from .cluster_access import ClusterAccess
from .cluster_errors import ClusterSilentError, UnusableAccessError
from .istiod_agent_args import Installed, IstiodAgentArgs, check_istiod_agent_args
from .istiod_overlay import with_agent
from .istiod_patch import (
    FIELD_MANAGER,
    MemoryVolume,
    agent_patch,
    istiod_environment,
    memory_volume,
    refuse_conflicts,
)
from .names import istiod_deployment
from .readiness import in_thread
from .validation import once_known

_WHOLE_OBJECT = ["metadata", "spec", "status"]


class IstiodAgent(pulumi.ComponentResource):
    """The istiod agent of one cluster, with what rolls istiod exactly when its trust changes.

    Needs a `kubernetes` provider: for `deployment` that of istiod's cluster, where the Deployment
    has to be; for a `resource` that is applied, that of the cluster which it is applied in.
    """

    trust_digest: pulumi.Output[str]
    """SHA-256 of the trust, hexadecimal, as istiod's pods have it in `mesh-trust.io/trust`."""
    manifest: pulumi.Output[str | None]
    """The `resource` with the agent, YAML; None for `deployment`."""

    def __init__(
        self, name: str, args: IstiodAgentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers the patch, or the resource where it is applied.

        Raises:
            InvalidInputError: a field is not usable, or does not belong to the installation.
        """
        installed = check_istiod_agent_args(args)
        trust = args["trust"]
        if isinstance(trust, Mapping) and not any(map(_is_late, trust.values())):
            trust_digest(cast(Mapping[str, str], trust))
        agent, resource, revision = installed.agent, installed.resource, installed.revision

        super().__init__("mesh-trust:index:IstiodAgent", name, None, opts)

        self.trust_digest = pulumi.Output.from_input(trust).apply(
            lambda resolved: once_known(trust_digest, resolved)
        )
        self.manifest = pulumi.Output.from_input(None)
        if resource is None:
            place = f"{installed.namespace}/{istiod_deployment(revision)}"
            self._patch(name, place, args, installed)
        else:
            merged = self.trust_digest.apply(
                lambda digest: with_agent(resource, agent, digest, revision)
            )
            self.manifest = merged.apply(lambda whole: yaml.safe_dump(whole, sort_keys=False))
            if installed.delivery == "apply":
                self._apply(name, resource, merged)
        self.register_outputs({"trust_digest": self.trust_digest, "manifest": self.manifest})

    def _patch(self, name: str, place: str, args: IstiodAgentArgs, installed: Installed) -> None:
        agent, timeout_seconds = installed.agent, installed.timeout_seconds
        namespace, _, deployment = place.partition("/")
        environment_name = f"{deployment}-agent-environment"
        # Seen at every preview and update: what others have made of it since then counts. It is not
        # read as a resource, which would have all of it in the stack's state.
        kubeconfig = pulumi.Output.unsecret(pulumi.Output.from_input(args.get("kubeconfig")))
        live: pulumi.Output[dict[str, Any]] = kubeconfig.apply(
            lambda known: in_thread(lambda: _deployment(known, args.get("context"), place))
        )
        # Without the digest, which a preview may not know yet.
        volume = live.apply(lambda found: _checked_volume(found, agent, environment_name))
        spec: pulumi.Output[Any] = pulumi.Output.all(volume, self.trust_digest).apply(
            lambda resolved: agent_patch(agent, resolved[0], environment_name, resolved[1])
        )
        environment = kubernetes.core.v1.ConfigMap(
            f"{name}-environment",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=environment_name, namespace=namespace),
            data=volume.apply(istiod_environment),
            opts=pulumi.ResourceOptions(parent=self),
        )
        patch = kubernetes.apps.v1.DeploymentPatch(
            f"{name}-patch",
            metadata=kubernetes.meta.v1.ObjectMetaPatchArgs(
                name=deployment,
                namespace=namespace,
                annotations={"pulumi.com/patchFieldManager": FIELD_MANAGER},
            ),
            spec=spec,
            opts=pulumi.ResourceOptions(
                parent=self,
                # A pod whose environment is not there does not start.
                depends_on=[environment],
                # Its outputs are the whole Deployment.
                additional_secret_outputs=_WHOLE_OBJECT,
                custom_timeouts=pulumi.CustomTimeouts(
                    create=f"{timeout_seconds}s", update=f"{timeout_seconds}s"
                ),
            ),
        )
        uid = pulumi.Output.unsecret(patch.metadata).apply(
            lambda metadata: None if metadata is None else metadata.uid
        )
        # Nobody waits for it, but a program does not end before its outputs are known.
        pulumi.Output.all(live, uid).apply(lambda seen: _require_same(*seen))

    def _apply(
        self, name: str, resource: Mapping[str, Any], merged: pulumi.Output[dict[str, Any]]
    ) -> None:
        metadata = resource["metadata"]
        kubernetes.apiextensions.CustomResourcePatch(
            f"{name}-resource",
            api_version=resource["apiVersion"],
            kind=resource["kind"],
            metadata={
                **metadata,
                "annotations": {
                    **(metadata.get("annotations") or {}),
                    "pulumi.com/patchFieldManager": FIELD_MANAGER,
                    # Whoever has applied it before has the overlays as they were then.
                    "pulumi.com/patchForce": "true",
                },
            },
            spec=merged.apply(lambda whole: whole["spec"]),
            # Without it there would be no Istio.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )


def _deployment(kubeconfig: str | None, context: str | None, place: str) -> dict[str, Any]:
    namespace, _, name = place.partition("/")
    access = ClusterAccess(kubeconfig, context, f"Deployments in the namespace {namespace}")
    try:
        found = access.deployment(namespace, name)
    except ClusterSilentError as error:
        raise pulumi.RunError(f"the cluster of Deployment {place} is not there: {error}") from None
    if found is None:
        raise pulumi.RunError(
            f"there is no Deployment {place} to put istiod's agent into: install Istio first, or "
            "name revision and namespace of an istiod that is there"
        )
    return found


def _require_same(live: dict[str, Any], uid: str | None) -> None:
    # A preview by an older API server may tell none.
    if uid is not None and uid != live["metadata"]["uid"]:
        raise UnusableAccessError(
            "context",
            live["metadata"]["namespace"],
            "name the cluster of the kubernetes provider in kubeconfig and context: the Deployment "
            "that was patched is another one",
        )


def _is_late(value: pulumi.Input[str]) -> bool:
    return isinstance(value, (pulumi.Output, Awaitable))


def _checked_volume(live: Mapping[str, Any], agent: Agent, environment_name: str) -> MemoryVolume:
    volume = memory_volume(live)
    spec = agent_patch(agent, volume, environment_name, digest="")
    refuse_conflicts(live, spec, istiod_environment(volume))
    return volume
