"""What istiod's Deployment makes its pods of, as far as processes of this machine can be that."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from lab.nodes.istio import ISTIO_NAMESPACE

CA_FOLDER = PurePosixPath("/etc/cacerts")
"""Where the agent writes, and where istiod looks unless it is told another folder."""

_ISTIOD = "discovery"
_AGENT_ARGUMENTS = ["sidecar"]


@dataclass(frozen=True)
class Pod:
    """A pod of istiod's that would be made of the Deployment at the time."""

    name: str
    """Another one whenever Kubernetes would replace the pod."""
    environment: Mapping[str, str]
    """Of istiod."""
    arguments: tuple[str, ...]
    """Of istiod."""
    has_agent: bool
    """Whether an agent is beside istiod."""
    shared: PurePosixPath
    """Where istiod finds what the agent has in `CA_FOLDER`."""

    @classmethod
    def of(
        cls, deployment: Mapping[str, Any], config_maps: Mapping[str, Mapping[str, str]]
    ) -> "Pod":
        """Read the Deployment; `config_maps` has the data of those that it names.

        Raises:
            KeyError: the Deployment has no container of istiod's.
        """
        template = deployment["spec"]["template"]
        containers = {each["name"]: each for each in template["spec"]["containers"]}
        istiod = containers[_ISTIOD]
        agents = [each for each in containers.values() if each.get("args") == _AGENT_ARGUMENTS]
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()
        # As a ReplicaSet would name it.
        name = f"{deployment['metadata']['name']}-{digest[:10]}-host"
        return cls(
            name,
            {**pod_variables(name), **_variables(istiod, config_maps)},
            tuple(istiod.get("args") or ()),
            bool(agents),
            _shared(istiod, agents[0]) if agents else CA_FOLDER,
        )


def config_maps_of(deployment: Mapping[str, Any]) -> list[str]:
    """Return the names of the ConfigMaps that istiod has its environment from."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return [
        source["configMapRef"]["name"]
        for container in containers
        if container["name"] == _ISTIOD
        for source in container.get("envFrom") or ()
        if "configMapRef" in source
    ]


def pod_variables(name: str) -> dict[str, str]:
    """Return what the containers are told of their pod."""
    return {"POD_NAME": name, "POD_NAMESPACE": ISTIO_NAMESPACE, "SERVICE_ACCOUNT": "istiod"}


def _variables(
    container: Mapping[str, Any], config_maps: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        found |= config_maps[source["configMapRef"]["name"]]
    # What refers to the pod is `pod_variables`, and there are no limits to refer to.
    literal = [each for each in container.get("env") or () if "valueFrom" not in each]
    return found | {each["name"]: each.get("value", "") for each in literal}


def _shared(istiod: Mapping[str, Any], agent: Mapping[str, Any]) -> PurePosixPath:
    [of_agent] = [each for each in agent["volumeMounts"] if each["mountPath"] == str(CA_FOLDER)]
    for mount in istiod["volumeMounts"]:
        if mount["name"] == of_agent["name"]:
            return PurePosixPath(mount["mountPath"], of_agent.get("subPath", ""))
    return CA_FOLDER
