"""Gloo's istiod agent as containers of istiod's pod, and what the pod is told of its trust."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .validation import InvalidInputError, require_one_of

AGENT = "gloo-mesh-istiod-agent"
AGENT_INIT = f"{AGENT}-init"
"""The init container; Kubernetes takes no two containers of one name in a pod."""

AGENT_IMAGE = "gcr.io/gloo-mesh/gloo-mesh-istiod-agent"
DISCOVERY = "discovery"
"""istiod's own container."""

CA_FOLDER = "/etc/cacerts"
"""Where the agent writes CA key and certificates, and where istiod looks for them unless told."""

TRUST_ANNOTATION = "mesh-trust.io/trust"
PULL_POLICIES = ("IfNotPresent", "Always", "Never")

MULTIROOT = ("ISTIO_MULTIROOT_MESH", "true")
"""Without it istiod does not take a bundle of roots that was changed while it runs."""
PROXY_MULTIROOT = ("PROXY_CONFIG_XDS_AGENT", "true")
"""Without it a proxy trusts one root only, and takes no bundle that was changed while it runs."""

DEFAULT_RESOURCES: Mapping[str, Mapping[str, str]] = {
    "requests": {"cpu": "50m", "memory": "128Mi"},
    "limits": {"memory": "256Mi"},
}

_REPOSITORY = re.compile(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_RESOURCES = ("cpu", "memory", "ephemeral-storage")


@dataclass(frozen=True)
class Agent:
    """What istiod's agent is run from, and what it may use."""

    image: str
    version: str
    pull_policy: str
    resources: Mapping[str, Mapping[str, str]]

    def containers(self, volume_mount: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The init container and the sidecar; `volume_mount` says what is at CA_FOLDER."""
        return (
            self._container(AGENT_INIT, "init-container", volume_mount),
            self._container(AGENT, "sidecar", volume_mount),
        )

    def _container(self, name: str, role: str, volume_mount: Mapping[str, str]) -> dict[str, Any]:
        return {
            "name": name,
            "image": f"{self.image}:{self.version}",
            "imagePullPolicy": self.pull_policy,
            "args": [role],
            "env": [
                {"name": "PILOT_CERT_PROVIDER", "value": "istiod"},
                _of_the_pod("POD_NAME", "metadata.name"),
                _of_the_pod("POD_NAMESPACE", "metadata.namespace"),
                _of_the_pod("SERVICE_ACCOUNT", "spec.serviceAccountName"),
            ],
            "resources": {kind: dict(amounts) for kind, amounts in self.resources.items()},
            "volumeMounts": [{**volume_mount, "mountPath": CA_FOLDER}],
        }


def checked_agent(
    image: str, version: object, pull_policy: str, resources: Mapping[str, Mapping[str, str]]
) -> Agent:
    """The agent, of values that were given.

    Raises:
        InvalidInputError: one of them is not usable.
    """
    if not isinstance(image, str) or not _REPOSITORY.fullmatch(image):
        raise InvalidInputError(
            "image", image, f"use a full name without tag or digest, such as {AGENT_IMAGE}"
        )
    if not isinstance(version, str) or not _TAG.fullmatch(version) or version == "latest":
        raise InvalidInputError("version", version, "use a version such as 2.5.13 or 2.5.13-fips")
    if re.match(r"v[0-9]", version):
        raise InvalidInputError("version", version, f"leave out the v: {version[1:]}")
    require_one_of("image_pull_policy", pull_policy, PULL_POLICIES)
    for kind, amounts in resources.items():
        require_one_of("resources", kind, ("requests", "limits"))
        for resource, amount in amounts.items():
            require_one_of(f"resources.{kind}", resource, _RESOURCES)
            if not isinstance(amount, str) or not _QUANTITY.fullmatch(amount):
                raise InvalidInputError(
                    f"resources.{kind}.{resource}", amount, "use a quantity such as 50m or 128Mi"
                )
    return Agent(image, version, pull_policy, resources)


def trust_digest(trust: Mapping[str, str]) -> str:
    """The SHA-256 of what a trust consists of, hexadecimal; of the order of its parts it says
    nothing.

    Raises:
        InvalidInputError: there are no parts, or one is not text.
    """
    if not isinstance(trust, Mapping) or not trust:
        raise InvalidInputError("trust", trust, "name what istiod's trust consists of")
    for name, value in trust.items():
        if not isinstance(value, str):
            raise InvalidInputError(f"trust.{name}", value, "use text")
    canonical = json.dumps(dict(trust), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _of_the_pod(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
