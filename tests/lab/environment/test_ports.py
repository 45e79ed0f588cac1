"""Ports are kept where they can be, and replaced where another process took them."""

import socket
from collections.abc import Iterator

import pytest

from lab import ports
from lab.errors import LabError
from lab.ports import CANDIDATES, LOOPBACK, assign_ports, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that a foreign process listens on."""
    [port] = assign_ports(["foreign"], {}, ()).values()
    with socket.create_server((LOOPBACK, port)):
        yield port


def test_a_listening_port_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_every_server_gets_a_free_port_of_its_own() -> None:
    assigned = assign_ports(["a", "b", "c"], {}, ())
    assert len(set(assigned.values())) == 3
    assert all(is_free(port) and port in CANDIDATES for port in assigned.values())


def test_a_remembered_port_stays_while_it_is_free() -> None:
    first = assign_ports(["a", "b"], {}, ())
    assert assign_ports(["b", "a"], first, ()) == first


def test_a_port_that_another_process_took_is_replaced(taken: int) -> None:
    assert assign_ports(["a"], {"a": taken}, ())["a"] != taken


def test_a_port_that_the_server_itself_holds_stays(taken: int) -> None:
    assert assign_ports(["a"], {"a": taken}, ["a"]) == {"a": taken}


def test_a_new_server_does_not_get_a_port_that_another_will_come_back_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [first] = assign_ports(["a"], {}, ()).values()
    monkeypatch.setattr(ports, "CANDIDATES", range(first, first + 1))
    with pytest.raises(LabError, match="no free port"):
        assign_ports(["b", "a"], {"a": first}, ())
