"""The arguments of an IstiodAgent, and which of them go together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pulumi

from .agent_containers import AGENT_IMAGE, DEFAULT_RESOURCES, Agent, checked_agent
from .istiod_overlay import LIFECYCLE_MANAGER, OPERATOR, with_agent
from .names import DEFAULT_REVISION, ISTIO_NAMESPACE
from .validation import (
    InvalidInputError,
    require_dns_label,
    require_one_of,
    require_whole_number,
)

INSTALLATIONS = ("deployment", "istio-operator", "lifecycle-manager")
DELIVERIES = ("render", "apply")
ROLLOUT_SECONDS = 300

_KIND_OF = {"istio-operator": OPERATOR, "lifecycle-manager": LIFECYCLE_MANAGER}


class IstiodAgentOptions(TypedDict):
    """Which agent, and how it gets beside istiod."""

    version: str
    """Tag of the agent's image, the version of Gloo Mesh without a leading `v`, for example
    `2.5.13` or `2.5.13-fips`."""
    installation: NotRequired[str]
    """What Istio was installed with: `deployment` (when absent) patches istiod's Deployment, as
    Helm, `istioctl` or a manifest has made it; `istio-operator` and `lifecycle-manager` put the
    agent into `resource`."""
    image: NotRequired[str]
    """Full name of the agent's image without a tag; `gcr.io/gloo-mesh/gloo-mesh-istiod-agent` when
    absent."""
    image_pull_policy: NotRequired[str]
    """`IfNotPresent` (when absent), `Always` or `Never`."""
    resources: NotRequired[Mapping[str, Mapping[str, str]]]
    """`requests` and `limits` of `cpu`, `memory` and `ephemeral-storage`, quantities of Kubernetes;
    when absent, requests of 50m and 128Mi, and a limit of 256Mi of memory."""
    kubeconfig: NotRequired[pulumi.Input[str]]
    """`deployment`: kubeconfig of the kubernetes provider, a path or the content, to see with what
    others have in the Deployment; as kubectl finds it when absent."""
    context: NotRequired[str]
    """`deployment`: context of the kubeconfig; its current one when absent."""
    timeout_seconds: NotRequired[int]
    """`deployment`: how long istiod may take to be replaced; 300 when absent."""
    resource: NotRequired[Mapping[str, Any]]
    """`istio-operator`, `lifecycle-manager`: the whole IstioOperator or IstioLifecycleManager."""
    delivery: NotRequired[str]
    """What becomes of `resource`: `render` (when absent), it is the output `manifest` and nothing
    else; `apply`, it is applied, and stays when the stack is destroyed."""


class IstiodAgentArgs(IstiodAgentOptions):
    """Which istiod, which agent, and what istiod's trust consists of."""

    trust: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """What istiod's trust consists of, by names of one's own: root certificates, address of Vault,
    paths, role. A digest of it is in istiod's pods, which are replaced when it changes, and for
    nothing else in it. Nothing secret belongs here."""
    istio_revision: NotRequired[str]
    """Revision of istiod, which names its Deployment; `default` when absent."""
    istio_namespace: NotRequired[str]
    """Namespace of istiod; `istio-system` when absent."""


@dataclass(frozen=True)
class Installed:
    """The arguments of an IstiodAgent, found usable, with the defaults of the absent ones."""

    agent: Agent
    revision: str
    namespace: str
    timeout_seconds: int
    resource: Mapping[str, Any] | None
    """None where a Deployment is patched."""
    delivery: str


def check_istiod_agent_args(args: IstiodAgentArgs) -> Installed:
    """Makes sure that `args` can be used; says nothing of the trust, which may be known later.

    Raises:
        InvalidInputError: a field is not usable, or does not belong to the installation.
    """
    installation = require_one_of(
        "installation", args.get("installation", "deployment"), INSTALLATIONS
    )
    agent = checked_agent(
        args.get("image", AGENT_IMAGE),
        args.get("version"),
        args.get("image_pull_policy", "IfNotPresent"),
        args.get("resources", DEFAULT_RESOURCES),
    )
    revision = require_dns_label("istio_revision", args.get("istio_revision", DEFAULT_REVISION))
    namespace = require_dns_label("istio_namespace", args.get("istio_namespace", ISTIO_NAMESPACE))
    timeout_seconds = require_whole_number(
        "timeout_seconds",
        args.get("timeout_seconds", ROLLOUT_SECONDS),
        minimum=1,
        unit="seconds",
    )
    resource = _checked_resource(args, installation)
    delivery = require_one_of("delivery", args.get("delivery", DELIVERIES[0]), DELIVERIES)
    if resource is not None:
        # What can be wrong with it has nothing to do with the digest.
        with_agent(resource, agent, "", revision)
    return Installed(agent, revision, namespace, timeout_seconds, resource, delivery)


def _checked_resource(args: IstiodAgentArgs, installation: str) -> Mapping[str, Any] | None:
    """The resource to put the agent into; None where a Deployment is patched.

    Raises:
        InvalidInputError: it is missing, is of another kind, or has no name; or it, or a delivery,
            is given for a Deployment.
    """
    resource = args.get("resource")
    if installation == "deployment":
        for field in ("resource", "delivery"):
            if args.get(field) is not None:
                raise InvalidInputError(field, args.get(field), "leave it out for a Deployment")
        return None
    api_version, kind = _KIND_OF[installation]
    if not isinstance(resource, Mapping) or (
        (resource.get("apiVersion"), resource.get("kind")) != (api_version, kind)
    ):
        raise InvalidInputError("resource", resource, f"give the whole {kind} of {api_version}")
    for part in ("metadata", "spec"):
        if not isinstance(resource.get(part) or {}, Mapping):
            raise InvalidInputError(f"resource.{part}", "…", "correct it: it is no map")
    if not (resource.get("metadata") or {}).get("name"):
        raise InvalidInputError("resource.metadata.name", None, "name the resource")
    return resource
