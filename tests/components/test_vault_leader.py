"""Whether what only the server that leads can answer is answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from lab.vault_server import unseal
from mesh_trust.vault_leader import leader_obstacle
from tests.background import in_background

from .conftest import ServedVault

NOWHERE = "https://vault-0.vault-internal:8200"


@contextmanager
def server(status: int, location: str | None = None) -> Iterator[str]:
    """Answers as a server of Vault with others does; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if location is not None:
                self.send_header("Location", location + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    made = HTTPServer(("127.0.0.1", 0), Handler)
    with in_background(made):
        yield f"http://127.0.0.1:{made.server_port}"


def test_a_vault_that_leads(new_vault: ServedVault) -> None:
    unseal(new_vault.directory, new_vault.address)
    assert leader_obstacle(new_vault.address, new_vault.ca_certificate) is None


# As respondStandby and handleRequestForwarding of Vault answer (http/handler.go).
def test_a_standby_that_sends_clients_to_where_they_get() -> None:
    with server(403) as leader, server(307, leader) as standby:
        assert leader_obstacle(standby, None) is None


def test_a_standby_that_sends_clients_to_where_they_never_get() -> None:
    with server(307, NOWHERE) as standby:
        found = leader_obstacle(standby, None)

    assert found is not None
    assert found.kind == "no leader"
    assert f"the server there sends clients on to {NOWHERE}, where they get no answer" in (
        found.reason
    )
    assert "\n" not in found.reason + found.advice


@pytest.mark.parametrize("status", [500, 503])
def test_servers_without_one_that_leads(status: int) -> None:
    with server(status) as address:
        found = leader_obstacle(address, None)
    assert found is not None
    assert f"no server of Vault at {address} leads" in found.reason
    assert f"(it answers {status})" in found.reason


def test_two_that_send_clients_to_each_other() -> None:
    """Vault's own clients follow once."""
    with server(403) as leader, server(307, leader) as second, server(307, second) as first:
        found: Any = leader_obstacle(first, None)
    assert "Exceeded 1 redirects" in found.reason
