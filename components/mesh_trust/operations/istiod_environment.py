"""Environment variables of istiod, by its Deployment and the ConfigMaps that it names."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mesh_trust.agent_containers import DISCOVERY

from .cluster_client import ClusterClient

DataOf = Callable[[str], Mapping[str, str]]
"""Gives what the ConfigMap of a name holds; nothing, where there is none."""


def istiod_variable(client: ClusterClient, namespace: str, pod: Any, name: str) -> str | None:
    """The value of a variable in istiod's container of `pod`, a pod's spec; None where it has none.

    Raises:
        UnreachableError: a ConfigMap cannot be read.
    """
    istiod = next((each for each in pod.containers or () if each.name == DISCOVERY), None)
    if istiod is None:
        return None
    return variable(istiod, name, partial(config_map_data, client, namespace))


def variable(container: Any, name: str, data_of: DataOf) -> str | None:
    """The value of a variable in `container`, as Kubernetes makes it.

    Its own counts for more than those of ConfigMaps, and of several the last. One whose value comes
    from elsewhere, such as a Secret, is not known and None.
    """
    value: str | None = None
    for source in container.env_from or ():
        prefix = source.prefix or ""
        if source.config_map_ref is not None and name.startswith(prefix):
            data = data_of(source.config_map_ref.name)
            value = data.get(name.removeprefix(prefix), value)
    for own in container.env or ():
        if own.name == name:
            value = own.value
    return value


def config_map_data(client: ClusterClient, namespace: str, name: str) -> dict[str, str]:
    """What a ConfigMap holds; nothing, where there is none.

    Raises:
        UnreachableError: it cannot be read.
    """
    read = client.core.read_namespaced_config_map
    found = client.found(f"ConfigMaps in {namespace}", read, name, namespace)
    return {} if found is None else dict(found.data or {})
