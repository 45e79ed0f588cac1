"""Vault policies without wildcards."""

import json
import re
from collections.abc import Iterator

from .resource import Resource
from .rule import Bound, Rule, Settings

_POLICY = "vault:index/policy:Policy"
# An identifier of Vault's own making, which nobody knows beforehand.
_ALLOWED = [r"[^*+]+/(issuer|key|config)/\+"]
_COMMENT_OR_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)
_PATH = re.compile(r'\bpath"?\s*[ =:]?\s*"((?:[^"\\]|\\.)*)"\s*[={:]?')


def rule_paths(policy: str) -> tuple[str, ...]:
    """The paths that a policy has rules for; it is HCL or JSON."""
    if policy.lstrip().startswith("{"):
        try:
            rules = json.loads(policy).get("path", {})
        except json.JSONDecodeError:
            return ()
        listed = rules if isinstance(rules, list) else [rules]
        return tuple(path for each in listed if isinstance(each, dict) for path in each)
    code = _COMMENT_OR_TEXT.sub(lambda found: found[0] if found[0][0] == '"' else " ", policy)
    return tuple(_PATH.findall(code))


def wildcards(resource: Resource, settings: Settings) -> Iterator[str]:
    """Faults of a Vault policy."""
    text = resource.text("policy")
    if resource.type != _POLICY or text is None:
        return
    for path in rule_paths(text):
        is_allowed = any(re.fullmatch(each, path) for each in settings["allowedPaths"])
        if ("*" in path or "+" in path) and not is_allowed:
            yield (
                f"policy {resource.text('name') or resource.name!r} has a rule for {path!r}; list "
                "the paths that are needed (mesh-trust:policy: least-privilege), or allow this one "
                "in allowedPaths"
            )


RULES = (
    Rule(
        "vault-policy-wildcards",
        "Vault policies name what they allow, without wildcards.",
        wildcards,
        bounds=(
            Bound(
                "allowedPaths",
                _ALLOWED,
                "Regular expressions for paths that may have a wildcard, each for a whole path.",
            ),
        ),
    ),
)
