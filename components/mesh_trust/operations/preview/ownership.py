"""Whose a resource is: a cluster's, the root's, Vault's, or the stack's own."""

from collections.abc import Iterable

from .document import Document, Step

ROOT = "root"
VAULT = "Vault"
STACK = "stack"
_CLUSTER_TRUST = "mesh-trust:index:ClusterTrust"
_OF_A_CLUSTER = (_CLUSTER_TRUST, "mesh-trust:index:ClusterCa")
_PROVIDER = "pulumi:providers:kubernetes"
_OWNERS = {
    "mesh-trust:index:RootCa": ROOT,
    "mesh-trust:index:RootPki": ROOT,
    "mesh-trust:index:ExternalRootPki": ROOT,
    "mesh-trust:index:VaultInstall": VAULT,
    "mesh-trust:index:VaultAdministrator": VAULT,
}


class Ownership:
    """Finds the owners of a preview's resources.

    A cluster is known by the name of its ClusterTrust, below which all that is its own stands.
    """

    def __init__(self, document: Document) -> None:
        self._parents = {each.urn: each.parent for each in document.steps}
        urns = {urn for pair in self._parents.items() for urn in pair if urn is not None}
        trusts = {_name(urn) for urn in urns if _own_type(urn) == _CLUSTER_TRUST}
        # The longest first: where there is an east-2, what is called east-2-auth is not east's.
        self._clusters = sorted(trusts or document.clusters, key=len, reverse=True)

    def owner(self, step: Step) -> str:
        """`cluster <name>`, or ROOT, VAULT or STACK."""
        for token in step.types:
            if token in _OF_A_CLUSTER:
                return self._cluster(step)
            if token in _OWNERS:
                return _OWNERS[token]
        if step.type == _PROVIDER and step.name in self._clusters:
            return f"cluster {step.name}"
        return STACK

    def _cluster(self, step: Step) -> str:
        urn: str | None = step.urn
        while urn is not None:
            if _own_type(urn) == _CLUSTER_TRUST:
                return f"cluster {_name(urn)}"
            urn = self._parents.get(urn)
        # Its parent is not told, as of what stays as it is only who asks for it hears.
        for cluster in self._clusters:
            if step.name.startswith(f"{cluster}-"):
                return f"cluster {cluster}"
        return STACK


def in_order(owners: Iterable[str]) -> list[str]:
    """Each owner once: the root first, then the clusters by name, then the others."""
    ranks = {ROOT: 0, VAULT: 2, STACK: 3}
    return sorted(set(owners), key=lambda owner: (ranks.get(owner, 1), owner))


def _own_type(urn: str) -> str:
    return urn.split("::", 3)[2].rpartition("$")[2]


def _name(urn: str) -> str:
    return urn.split("::", 3)[3]
