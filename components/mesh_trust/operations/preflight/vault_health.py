"""Whether Vault answers, is unsealed and new enough, and what time it has."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from mesh_trust.readiness import Obstacle
from mesh_trust.settings.vault import Vault
from mesh_trust.vault_health import TOO_OLD, health_obstacle

from ..about import About
from ..finding import Finding
from ..vault_client import asking
from .clocks import clock_finding

SUBJECT = "Vault"

REACHABLE = About("vault-reachable", SUBJECT)
UNSEALED = About("vault-unsealed", SUBJECT)
VERSION = About("vault-version", SUBJECT)

_CHECKS = {
    "uninitialised": UNSEALED,
    "sealed": UNSEALED,
    "secondary": UNSEALED,
    TOO_OLD: VERSION,
}
"""Which check tells of an obstacle, by its kind; all others keep Vault from being reached."""


def health_findings(address: str, vault: Vault, client: Any) -> Iterator[Finding]:
    """Asks for Vault's health, without a token; `client` is one of it."""
    obstacle = health_obstacle(address, vault.ca_certificate, None, vault.commands)
    about = None if obstacle is None else _CHECKS.get(obstacle.kind, REACHABLE)
    for each, well in ((REACHABLE, f"{address} answers"), (UNSEALED, "it is unsealed")):
        if about is each:
            yield _told(each, obstacle)
            return
        yield each.ok(well)
    if about is VERSION:
        yield _told(VERSION, obstacle)
        return
    with asking("its health"):
        health = client.sys.read_health_status(standby_ok=True, method="GET")
    yield VERSION.ok(f"Vault {health['version']}")


def time_findings(client: Any) -> Iterator[Finding]:
    """Asks for Vault's time, without a token."""
    with asking("its health"):
        health = client.sys.read_health_status(standby_ok=True, method="GET")
    told = health.get("server_time_utc")
    time = None if told is None else datetime.fromtimestamp(told, UTC)
    yield clock_finding(About("clock", SUBJECT), time)


def _told(about: About, obstacle: Obstacle | None) -> Finding:
    assert obstacle is not None
    return about.failed(obstacle.reason, obstacle.advice)
