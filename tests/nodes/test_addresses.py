"""Which block of addresses a lab takes, beside the networks that the host is in."""

import subprocess
import threading
from collections.abc import Iterator

import pytest

from lab.nodes import addresses
from lab.nodes.addresses import NodeNetwork, choose_network

pytestmark = pytest.mark.usefixtures("software")


def _delete(network: NodeNetwork) -> None:
    subprocess.run(["ip", "link", "delete", network.interface], check=True)


@pytest.fixture
def occupied() -> Iterator[NodeNetwork]:
    """A block in use, by an interface as a switch makes it; a test may delete the interface."""
    network = choose_network(None, ours_runs=False)
    subprocess.run(["ip", "link", "add", network.interface, "type", "bridge"], check=True)
    subprocess.run(
        ["ip", "address", "add", str(network.host), "dev", network.interface], check=True
    )
    yield network
    subprocess.run(["ip", "link", "delete", network.interface], check=False, capture_output=True)


def test_a_block_that_is_free_is_kept() -> None:
    free = choose_network(None, ours_runs=False)
    assert choose_network(free.number, ours_runs=False) == free


def test_a_block_is_kept_while_its_switch_runs(occupied: NodeNetwork) -> None:
    assert choose_network(occupied.number, ours_runs=True) == occupied


def test_an_interface_of_a_killed_switch_is_waited_for(occupied: NodeNetwork) -> None:
    leaving = threading.Timer(0.5, _delete, [occupied])
    leaving.start()
    assert choose_network(occupied.number, ours_runs=False) == occupied
    leaving.join()


def test_a_block_of_another_lab_is_left_to_it(
    occupied: NodeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "_LEAVES_SECONDS", 0.3)
    chosen = choose_network(occupied.number, ours_runs=False)
    assert not chosen.block.overlaps(occupied.block)
