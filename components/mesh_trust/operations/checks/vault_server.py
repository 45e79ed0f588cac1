"""Whether Vault can be worked with: version, seal, certificate, the token."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from cryptography import x509

from mesh_trust.vault_health import health_obstacle

from ..certificates import Thresholds
from ..expected import Expected
from ..finding import Finding, State
from ..tls_chain import shown_chain
from ..unreachable import UnreachableError
from ..vault_client import asking
from ..vault_view import VaultView

VAULT = "Vault"

_SECONDS = 10


def vault_health(expected: Expected, view: VaultView) -> Iterator[Finding]:
    """Whether it answers, is initialised, unsealed and new enough."""
    address, vault = expected.vault_address, expected.settings.vault
    obstacle = health_obstacle(address, vault.ca_certificate, None, vault.commands)
    if obstacle is not None:
        yield Finding("vault-health", VAULT, State.FAILED, obstacle.reason, obstacle.advice)
        return
    with asking("how it does"):
        health = view.client.sys.read_health_status(method="GET", standby_ok=True)
    version = health.get("version") or "an unknown version"
    seen = f"Vault at {address} is unsealed, of version {version}"
    yield Finding("vault-health", VAULT, State.OK, seen)


def vault_token(view: VaultView) -> Iterator[Finding]:
    """Whether Vault knows the token that all else is asked with."""
    found = view.read("auth/token/lookup-self") or {}
    policies = ", ".join(found.get("policies") or ())
    seen = f"the token in VAULT_TOKEN has the policies {policies}"
    yield Finding("vault-token", VAULT, State.OK, seen)


def vault_certificate(expected: Expected, thresholds: Thresholds) -> Iterator[Finding]:
    """How long the certificate has left that Vault itself shows."""
    check, parts = "vault-certificate", urlsplit(expected.vault_address)
    if parts.scheme == "http":
        seen = (
            f"{expected.vault_address} is plain HTTP, as the configuration allows for development"
        )
        yield Finding(check, VAULT, State.OK, seen)
        return
    host, port = str(parts.hostname), parts.port or 443
    certificate = _shown(host, port)
    fix = "renew it in Vault's listener, and have Vault read it: send the server a SIGHUP"
    yield thresholds.judge(check, VAULT, f"the certificate of {host}:{port}", certificate, fix)


def _shown(host: str, port: int) -> x509.Certificate:
    # Whether it holds against its CA was looked at before.
    try:
        with socket.create_connection((host, port), _SECONDS) as connection:
            return shown_chain(connection, host)[0]
    except OSError as error:
        raise UnreachableError(
            f"no TLS connection comes about with {host}:{port} ({error.strerror or error})",
            f"see `openssl s_client -connect {host}:{port}`",
        ) from None
