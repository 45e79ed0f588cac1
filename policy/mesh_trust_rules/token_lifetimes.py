"""Tokens of Vault that end soon."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .durations import seconds_of
from .resource import UNKNOWN, Resource
from .rule import Bound, Rule, Settings

# Kubernetes, JWT, AppRole and the clouds' alike; that of certificates has a name of its own.
_ROLES = ("AuthBackendRole", "CertAuthBackendRole")
_MADE = "vault:index/token:Token"
_ENDPOINT = "vault:generic/endpoint:Endpoint"


def lifetimes(resource: Resource, settings: Settings) -> Iterator[str]:
    """Faults of what tokens are made by: roles and users for logins, and tokens themselves."""
    most = settings["maximumSeconds"]
    if resource.type.startswith("vault:") and resource.type.rpartition(":")[2] in _ROLES:
        role = f"role {resource.text('roleName') or resource.text('role') or resource.name!r}"
        yield from _faults(role, resource.properties, ("tokenTtl", "tokenMaxTtl"), most)
        yield from _periodic(role, resource.at("tokenPeriod"), "tokenPeriod")
    elif resource.type == _MADE:
        token = f"token {resource.name!r}"
        bounds = ("ttl",) if resource.at("renewable") is False else ("ttl", "explicitMaxTtl")
        yield from _faults(token, resource.properties, bounds, most)
        yield from _periodic(token, resource.at("period"), "period")
    elif resource.type == _ENDPOINT and "/users/" in (resource.text("path") or ""):
        user = f"user {resource.name!r}"
        written = _document(resource.text("dataJson"))
        if written is not None:
            yield from _faults(user, written, ("token_ttl", "token_max_ttl"), most)
            yield from _periodic(user, written.get("token_period"), "token_period")


def _faults(
    whose: str, properties: Mapping[str, Any], fields: tuple[str, ...], most: float
) -> Iterator[str]:
    for field in fields:
        value = properties.get(field)
        if value is UNKNOWN:
            continue
        seconds = seconds_of(value) if isinstance(value, str) else value
        if not seconds:
            yield (
                f"{whose} has no {field}, so that the mount's applies, a month by default; set it "
                f"to at most {most:.0f} seconds"
            )
        elif seconds > most:
            yield (
                f"{whose}: {field} is {seconds:.0f} seconds, more than {most:.0f}; lower it "
                "(mesh-trust:tokenTtlSeconds), or raise maximumSeconds"
            )


def _periodic(whose: str, period: Any, field: str) -> Iterator[str]:
    if period is not UNKNOWN and period:
        yield f"{whose} gives periodic tokens, which can be renewed for ever; take {field} away"


def _document(text: str | None) -> Mapping[str, Any] | None:
    try:
        written = json.loads(text or "")
    except json.JSONDecodeError:
        return None
    return written if isinstance(written, Mapping) else None


RULES = (
    Rule(
        "token-lifetimes",
        "Tokens of Vault end soon: a stolen one is of use for an hour, not for a month.",
        lifetimes,
        bounds=(
            Bound("maximumSeconds", 3600, "The longest that a token may last, in seconds.", 1),
        ),
    ),
)
