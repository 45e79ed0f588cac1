"""What a cluster has already of the Helm releases that a stack is about to make."""

import asyncio

import pulumi

from .cluster_access import ClusterAccess
from .vault_lookup import Inputs, Kind

RELEASE = "kubernetes:helm.sh/v3:Release"


def release_kind(kubeconfig: pulumi.Input[str] | None, context: str | None) -> Kind:
    """How releases are looked for; without a `kubeconfig`, only their ids are told."""

    async def find(inputs: Inputs, _: pulumi.InvokeOptions) -> str | None:
        namespace, name = inputs.get("namespace"), inputs.get("name")
        if not isinstance(namespace, str) or not isinstance(name, str):
            return None
        if kubeconfig is not None:
            known = await pulumi.Output.from_input(kubeconfig).future()
            # A preview may not know it yet, and then nobody has installed anything there.
            if known is None or not await asyncio.to_thread(
                _is_there, known, context, namespace, name
            ):
                return None
        return f"{namespace}/{name}"

    return Kind("Helm release", find, seen=kubeconfig is not None, where="the cluster")


def _is_there(kubeconfig: str, context: str | None, namespace: str, name: str) -> bool:
    reads = f"Secrets of the namespace {namespace}"
    return ClusterAccess(kubeconfig, context, reads).has_release(namespace, name)
