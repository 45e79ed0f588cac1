"""Which addresses are this machine's own: no proxy, and plain HTTP even for keys."""

import pytest

from mesh_trust.vault_session import is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.0.1:8200", "[::1]:8200", "localhost", "0.0.0.0:6443", "[::]"]
)
def test_this_machine(host: str) -> None:
    assert is_loopback(f"https://{host}")


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "[2001:db8::1]", "localhost.example.org", "vault.localhost", "1.27.0.0.1", ""],
)
def test_another_one(host: str) -> None:
    assert not is_loopback(f"https://{host}")
