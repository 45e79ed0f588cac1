"""RootTrustPolicies by which Gloo restarts pods itself, all at once, when a certificate changes."""

from collections.abc import Mapping
from typing import Any

from mesh_trust.root_trust_policy_status import API_VERSION, PLURAL, READS

from .cluster_client import ClusterClient


def all_policies(client: ClusterClient) -> list[dict[str, Any]]:
    """Those of a cluster, in whichever namespace; none, where it knows no such resources.

    Raises:
        UnreachableError: they cannot be read.
    """
    group, _, version = API_VERSION.partition("/")
    listed = client.found(
        f"{READS} of all namespaces",
        client.custom.list_cluster_custom_object,
        group,
        version,
        PLURAL,
    )
    return [] if listed is None else list(listed["items"])


def restarts_pods(policy: Mapping[str, Any]) -> bool:
    """Whether Gloo restarts pods by `policy`."""
    config = (policy.get("spec") or {}).get("config") or {}
    return bool(config.get("autoRestartPods"))
