"""RootTrustPolicies by which Gloo restarts pods itself, all at once, when a certificate changes."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mesh_trust.root_trust_policy_status import KIND
from mesh_trust.settings import MANAGEMENT, Connection

from ..cluster_client import ClusterClient
from ..restarting import all_policies, restarts_pods
from ..unreachable import UnreachableError


@dataclass(frozen=True)
class RestartingPolicies:
    """Those of a fleet."""

    found: tuple[str, ...]
    """A line each."""
    unseen: Mapping[str, str]
    """Why not, by the names of the clusters that could not be looked at."""

    def objections(self, clusters: Collection[str]) -> list[str]:
        """What speaks against a rotation of `clusters`, a line each.

        What cannot be seen may be there: in these clusters, and in the management cluster, whose
        policies are for all.
        """
        lines = [
            f"whether RootTrustPolicies of cluster {name} have autoRestartPods on is not known: "
            f"{why}; or say --accept-auto-restart"
            for name, why in self.unseen.items()
            if name == MANAGEMENT or name in clusters
        ]
        if self.found:
            lines.append(
                f"autoRestartPods is on in {len(self.found)} RootTrustPolicies, by which Gloo "
                "restarts all pods at once when istiod's certificate changes: turn it off, or say "
                "--accept-auto-restart"
            )
        return lines


def restarting_policies(connections: Mapping[str, Connection]) -> RestartingPolicies:
    """Looks for them in every namespace of every cluster, side by side."""
    with ThreadPoolExecutor(max(len(connections), 1)) as threads:
        looks = {name: threads.submit(_found, each) for name, each in connections.items()}
    found: list[str] = []
    unseen: dict[str, str] = {}
    for name, look in looks.items():
        try:
            found += [f"cluster {name}: {each}" for each in look.result()]
        except UnreachableError as error:
            unseen[name] = f"{error}; {error.fix}"
    return RestartingPolicies(tuple(found), unseen)


def _found(connection: Connection) -> list[str]:
    client = ClusterClient(connection)
    return [
        f"{KIND} {each['metadata']['namespace']}/{each['metadata']['name']}"
        for each in all_policies(client)
        if restarts_pods(each)
    ]
