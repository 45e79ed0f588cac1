"""The patch that puts Gloo's agent beside istiod, for a Deployment that others own.

Nothing in it is anybody else's. It adds no element to a list in which others have some before it
either: the kubernetes provider compares lists place by place, and would write such a patch anew in
every update. So istiod's environment comes from a ConfigMap, and the agent's folder is one below
the volume in memory that istiod has for certificates of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from .agent_containers import AGENT, DISCOVERY, MULTIROOT, TRUST_ANNOTATION, Agent
from .field_conflicts import conflicts, element, managers_of

FIELD_MANAGER = "mesh-trust-istiod-agent"
"""Who the patch's fields belong to: the same in every stack, so that one whose state was lost does
not leave fields behind that nobody gives back."""

_ROOT_CA_DIR = "ROOT_CA_DIR"
_POD_SPEC = ("f:spec", "f:template", "f:spec")


@dataclass(frozen=True)
class MemoryVolume:
    """A volume in memory, and where istiod has it."""

    name: str
    mount_path: str

    @property
    def ca_folder(self) -> str:
        """Where istiod finds what the agent writes."""
        return f"{self.mount_path.rstrip('/')}/{AGENT}"


def agent_patch(
    agent: Agent, volume: MemoryVolume, environment_name: str, digest: str
) -> dict[str, Any]:
    """The `spec` of the patch; `environment_name` is the ConfigMap of `istiod_environment`."""
    init, sidecar = agent.containers({"name": volume.name, "subPath": AGENT})
    return {
        "template": {
            "metadata": {"annotations": {TRUST_ANNOTATION: digest}},
            "spec": {
                "initContainers": [init],
                "containers": [
                    {
                        "name": DISCOVERY,
                        "envFrom": [{"configMapRef": {"name": environment_name}}],
                    },
                    sidecar,
                ],
            },
        }
    }


def istiod_environment(volume: MemoryVolume) -> dict[str, str]:
    """Environment variables of istiod, beside which the agent runs."""
    name, value = MULTIROOT
    return {_ROOT_CA_DIR: volume.ca_folder, name: value}


def memory_volume(live: Mapping[str, Any]) -> MemoryVolume:
    """The volume in memory that istiod can write to, in the Deployment `live`.

    Raises:
        pulumi.RunError: it has none, or has no container of istiod.
    """
    pod = live["spec"]["template"]["spec"]
    in_memory = {
        volume["name"]
        for volume in pod.get("volumes") or ()
        if (volume.get("emptyDir") or {}).get("medium") == "Memory"
    }
    for mount in _discovery(live).get("volumeMounts") or ():
        writable = not mount.get("readOnly") and "subPath" not in mount
        if mount["name"] in in_memory and writable:
            return MemoryVolume(mount["name"], mount["mountPath"])
    raise pulumi.RunError(
        f"{_named(live)} has no volume in memory that its container {DISCOVERY} can write to, such "
        "as the local-certs of Istio's charts: the agent has nowhere to hand istiod its CA"
    )


def refuse_conflicts(
    live: Mapping[str, Any], spec: Mapping[str, Any], environment: Mapping[str, str]
) -> None:
    """Lets pass what takes nothing of others.

    Raises:
        pulumi.RunError: others have a field that the patch would change, or have istiod another
            environment; the message names field and manager.
    """
    found = [str(each) for each in conflicts(live, {"spec": spec}, FIELD_MANAGER)]
    for variable in _discovery(live).get("env") or ():
        name = variable["name"]
        # A variable of its own counts for more than one that comes from a ConfigMap.
        if name in environment and variable.get("value") != environment[name]:
            path = (
                *(*_POD_SPEC, "f:containers", element("name", DISCOVERY)),
                *("f:env", element("name", name)),
            )
            by = " and ".join(managers_of(live, path)) or "nobody known"
            said = variable.get("value", "a reference")
            found.append(f"{name} of container {DISCOVERY} is {said!r}, by {by}")
    if found:
        raise pulumi.RunError(
            f"{_named(live)} has what istiod's agent would change: {'; '.join(found)}; "
            "take it out there"
        )


def _discovery(live: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = live["spec"]["template"]["spec"]["containers"]
    for container in containers:
        if container["name"] == DISCOVERY:
            found: Mapping[str, Any] = container
            return found
    names = ", ".join(each["name"] for each in containers)
    raise pulumi.RunError(f"{_named(live)} has no container {DISCOVERY}, but {names}")


def _named(live: Mapping[str, Any]) -> str:
    return f"Deployment {live['metadata']['namespace']}/{live['metadata']['name']}"
