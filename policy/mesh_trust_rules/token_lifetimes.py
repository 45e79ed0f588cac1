"""Tokens of Vault that end soon."""

from collections.abc import Iterator

from .resource import Resource
from .rule import Bound, Rule, Settings

_ROLES = (
    "vault:kubernetes/authBackendRole:AuthBackendRole",
    "vault:jwt/authBackendRole:AuthBackendRole",
)
_FIELDS = ("tokenTtl", "tokenMaxTtl")


def lifetimes(resource: Resource, settings: Settings) -> Iterator[str]:
    """Faults of a role by which one logs in."""
    if resource.type not in _ROLES:
        return
    most = settings["maximumSeconds"]
    role = f"role {resource.text('roleName') or resource.name!r}"
    for field in _FIELDS:
        if resource.is_unknown(field):
            continue
        seconds = resource.number(field)
        if not seconds:
            yield (
                f"{role} has no {field}, so that the mount's applies, a month by default; set it "
                f"to at most {most:.0f} seconds"
            )
        elif seconds > most:
            yield (
                f"{role}: {field} is {seconds:.0f} seconds, more than {most:.0f}; lower it "
                "(mesh-trust:tokenTtlSeconds), or raise maximumSeconds"
            )
    if resource.number("tokenPeriod"):
        yield f"{role} gives periodic tokens, which can be renewed for ever; take tokenPeriod away"


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
