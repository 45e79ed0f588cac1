from lab.lab import Lab

from .handshake import handshake
from .inventory import Inventory, take_inventory
from .program import Program


def test_destroy_leaves_vault_and_the_clusters_as_they_were(
    lab: Lab, deployed: Program, untouched: Inventory
) -> None:
    assert take_inventory(lab).changes_since(untouched)

    deployed.destroy()

    assert take_inventory(lab).changes_since(untouched) == set()
    assert deployed.outputs() == {}


def test_after_destroy_it_can_be_set_up_again(lab: Lab, undeployed: Program) -> None:
    undeployed.up()
    handshake(lab, "east")
