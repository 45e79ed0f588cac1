"""Whether the token in VAULT_TOKEN is one to work with."""

from collections.abc import Iterator
from typing import Any

from hvac.exceptions import Forbidden

from mesh_trust.settings import Settings

from ..about import About
from ..finding import Finding
from ..vault_client import asking
from .vault_health import SUBJECT

TOKEN = About("vault-token", SUBJECT)

ENOUGH_SECONDS = 1200
"""How long the token that Pulumi's provider makes below this one lives: that is cut to this one's
own end."""


def token_findings(client: Any, settings: Settings) -> Iterator[Finding]:
    """Has Vault say what the token is; an unset one is told as well."""
    if not client.token:
        yield TOKEN.failed(
            "VAULT_TOKEN is not set", "export one with no more than the policy in the README"
        )
        return
    with asking("what it is"):
        found = _looked_up(client)
    if found is None:
        yield TOKEN.failed(
            "Vault does not know the token in VAULT_TOKEN, or it may not look itself up",
            "log in anew, with a policy that lets it read auth/token/lookup-self, as Vault's "
            "default does",
        )
        return
    faults = list(_faults(found, settings))
    yield from faults
    if not faults:
        yield TOKEN.ok(f"its policies are {', '.join(found['policies'])}; {_left(found)}")


def _looked_up(client: Any) -> Any | None:
    try:
        return client.auth.token.lookup_self()["data"]
    except Forbidden:
        return None


def _faults(found: Any, settings: Settings) -> Iterator[Finding]:
    if "root" in found["policies"] and not settings.development:
        yield TOKEN.failed(
            "the token in VAULT_TOKEN is a root token, and those are for development only",
            "use a token with no more than the policy in the README",
        )
    if found.get("type") == "batch":
        yield TOKEN.failed(
            "the token in VAULT_TOKEN is a batch token, below which Pulumi's provider cannot make "
            "one of its own",
            "use a service token: `vault token create -type=service …`",
        )
    if found.get("num_uses"):
        yield TOKEN.failed(
            f"the token in VAULT_TOKEN is good for {found['num_uses']} more requests",
            "use one without a limit of uses",
        )
    if 0 < found["ttl"] < ENOUGH_SECONDS:
        yield TOKEN.warning(
            f"the token in VAULT_TOKEN has {found['ttl']} s left",
            "renew it, so that it does not end in the middle of an update: `vault token renew`",
        )


def _left(found: Any) -> str:
    return f"{found['ttl']} s left" if found["ttl"] else "it does not expire"
