"""A stack is a list of clusters: what comes and goes with one of them is its own alone."""

from collections.abc import Iterator

import pytest
from hvac.exceptions import Forbidden

from lab.lab import Lab

from .handshake import Agent, Instructions, handshake, service_account_token
from .inventory import Inventory, take_inventory
from .program import Program, clusters


@pytest.fixture
def with_north(deployed: Program) -> Iterator[Program]:
    """The program configured for three clusters, and back to two afterwards."""
    deployed.configure(clusters=clusters("east", "west", "north"))
    yield deployed
    deployed.configure_as_committed()
    deployed.up()


def test_a_cluster_comes_and_goes_without_touching_the_others(
    lab: Lab, with_north: Program
) -> None:
    without = take_inventory(lab)

    assert steps_of_clusters(with_north) == {"create"}
    with_north.up()
    added = take_inventory(lab)
    came = added.changes_since(without)
    # The administrator's policy names the clusters one by one.
    assert len(came) > 1
    assert all("north" in name for name in came - {"policy admins"})
    for cluster in ("east", "west", "north"):
        handshake(lab, cluster)

    former = Instructions.of(lab, "north")
    with_north.configure_as_committed()
    assert steps_of_clusters(with_north) == {"delete"}
    with_north.up()
    assert take_inventory(lab).changes_since(without) == set()
    with_north.run("preview", "--expect-no-changes")
    handshake(lab, "east")
    token = service_account_token(lab, "north", "istiod", "istio-system")
    with Agent(former) as agent, pytest.raises(Forbidden):
        agent.log_in(token)


@pytest.mark.soak
def test_one_of_the_first_two_can_be_removed(lab: Lab, deployed: Program) -> None:
    with_west = take_inventory(lab)
    deployed.configure(clusters=clusters("east"))
    try:
        deployed.up()
        removed = take_inventory(lab).changes_since(with_west)
    finally:
        deployed.configure_as_committed()
        deployed.up()

    assert removed == _of("west", with_west) | {"policy admins"}
    assert take_inventory(lab).names() == with_west.names()


def steps_of_clusters(program: Program) -> set[str]:
    """What `up` would do now, beside naming the clusters in the administrator's policy."""
    steps = program.steps()
    assert steps.pop("administrator-policy") == "update"
    return set(steps.values())


def _of(cluster: str, inventory: Inventory) -> set[str]:
    """What the program made for `cluster`: by the names it has to have."""
    in_vault = {name for name in inventory.vault if cluster in name}
    in_kubernetes = {
        f"{cluster} v1 ServiceAccount istio-system/vault-token-reviewer",
        f"{cluster} v1 ConfigMap istio-system/istiod-agent-environment",
        # Not made, but with the agent in it.
        f"{cluster} apps/v1 Deployment istio-system/istiod",
        f"{cluster} v1 Secret istio-system/vault-token-reviewer",
        f"{cluster} rbac.authorization.k8s.io/v1 ClusterRole -/gloo-mesh-istiod-agent",
        f"{cluster} rbac.authorization.k8s.io/v1 ClusterRoleBinding -/gloo-mesh-istiod-agent",
        f"{cluster} rbac.authorization.k8s.io/v1 ClusterRoleBinding -/vault-token-reviewer",
        f"{cluster} admin.gloo.solo.io/v2 RootTrustPolicy gloo-mesh/{cluster}",
    }
    assert in_kubernetes <= inventory.names()
    return in_vault | in_kubernetes
