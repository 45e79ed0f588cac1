"""Gloo's agent beside istiod, which it hands a CA from Vault, and istiod rolled with its trust."""

from collections.abc import Awaitable, Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from .agent_containers import Agent, trust_digest
from .istiod_agent_args import IstiodAgentArgs, check_istiod_agent_args
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
from .read_object import as_kubernetes_has_it
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
            self._patch(name, place, agent, installed.timeout_seconds)
        else:
            merged = self.trust_digest.apply(
                lambda digest: with_agent(resource, agent, digest, revision)
            )
            self.manifest = merged.apply(lambda whole: yaml.safe_dump(whole, sort_keys=False))
            if installed.delivery == "apply":
                self._apply(name, resource, merged)
        self.register_outputs({"trust_digest": self.trust_digest, "manifest": self.manifest})

    def _patch(self, name: str, place: str, agent: Agent, timeout_seconds: int) -> None:
        namespace, _, deployment = place.partition("/")
        environment_name = f"{deployment}-agent-environment"
        # Read at every preview and update: what others have made of it since then counts.
        present = kubernetes.apps.v1.Deployment.get(
            f"{name}-istiod",
            place,
            # Others put into a Deployment what they like, and it is no news to whoever sees a diff.
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=_WHOLE_OBJECT),
        )
        live = pulumi.Output.unsecret(
            pulumi.Output.all(metadata=present.metadata, spec=present.spec)
        ).apply(as_kubernetes_has_it)
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
        kubernetes.apps.v1.DeploymentPatch(
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


def _is_late(value: pulumi.Input[str]) -> bool:
    return isinstance(value, (pulumi.Output, Awaitable))


def _checked_volume(live: Mapping[str, Any], agent: Agent, environment_name: str) -> MemoryVolume:
    volume = memory_volume(live)
    spec = agent_patch(agent, volume, environment_name, digest="")
    refuse_conflicts(live, spec, istiod_environment(volume))
    return volume
