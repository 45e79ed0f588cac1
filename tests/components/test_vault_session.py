"""Every client of Vault trusts whom the engine's plugin trusts, and takes its way."""

from types import SimpleNamespace
from typing import Any

import pytest
from requests.exceptions import ProxyError, SSLError

from mesh_trust.operations.vault.members import Member
from mesh_trust.operations.vault_client import client_of
from mesh_trust.vault_session import vault_session

from .conftest import ServedVault


def clients(address: str) -> list[Any]:
    """Those of the commands, without a CA of the configuration."""
    # All that is read of a stack.
    stack: Any = SimpleNamespace(
        settings=SimpleNamespace(vault=SimpleNamespace(ca_file=None, namespace=None))
    )
    return [client_of(stack, address, ""), Member(address).client()]


def test_without_a_ca_the_systems_certificates_count(
    new_vault: ServedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    for client in clients(new_vault.address):
        with pytest.raises(SSLError):
            client.sys.is_initialized()

    # Where they are is said as for every program that uses OpenSSL or Go.
    monkeypatch.setenv("SSL_CERT_FILE", str(new_vault.directory.vault_authority))
    for client in clients(new_vault.address):
        assert client.sys.is_initialized() is False


def test_a_proxy_is_not_for_this_machine_itself(
    new_vault: ServedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(new_vault.directory.vault_authority))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    for client in clients(new_vault.address):
        assert client.sys.is_initialized() is False
    # The control: it is for all others. The address is one of documentation's (RFC 5737).
    for client in clients("https://192.0.2.1"):
        with pytest.raises(ProxyError):
            client.sys.is_initialized()


def test_a_ca_that_is_given_counts_alone(new_vault: ServedVault) -> None:
    own = new_vault.directory.vault_authority
    with vault_session(new_vault.address, own) as session:
        assert session.verify == str(own)
