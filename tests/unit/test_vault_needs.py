"""What preflight has Vault asked for is what the documentation has the token be given."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh_trust.operations.preflight.vault_needs import Need, lacking, vault_needs

from .test_settings import environment, load

__all__ = ["environment"]

_DOCS = Path(__file__).parents[2]
_RULE = re.compile(
    r'path "(?P<path>[^"]+)" +\{ capabilities = \[(?P<capabilities>[^]]+)\](, .*)? \}'
)
# What every token may do by Vault's policy default.
_DEFAULT = ('path "auth/token/lookup-self" { capabilities = ["read"] }',)


def rules(document: str, before: str = "") -> list[str]:
    """The rules of the first policy in a document behind the words `before`."""
    text = (_DOCS / document).read_text()
    assert before in text
    rest = text[text.index(before) :]
    return rest.partition("```hcl\n")[2].partition("```")[0].strip().splitlines()


def granted(path: str, policy: Sequence[str]) -> list[str]:
    """The capabilities that a policy has at a path: those of its most specific rule."""
    best: tuple[int, list[str]] = (-1, [])
    for rule in policy:
        found = _RULE.fullmatch(rule)
        assert found is not None, rule
        prefix = found["path"].removesuffix("*")
        matches = path.startswith(prefix) if found["path"].endswith("*") else path == prefix
        if matches and len(prefix) > best[0]:
            best = len(prefix), re.findall(r"\w+", found["capabilities"])
    return best[1]


FEATURES: dict[str, tuple[dict[str, Any], tuple[tuple[str, str], ...]]] = {
    "the defaults": ({}, ()),
    "an administrator": ({"administrator": True}, (("docs/stack-token.md", "## administrator"),)),
    "reviewer mode jwt": (
        {
            "reviewerMode": "jwt",
            "clusters": [{"name": "east", "jwksUrl": "https://east.example.com/keys"}],
        },
        (("docs/stack-token.md", "## reviewerMode: jwt"),),
    ),
    "CAs of the clusters' own": (
        {
            "signingCa": "cluster",
            "rootPathLength": 2,
            "clusters": [{"name": "east"}],
        },
        (("docs/stack-token.md", "## signingCa: cluster"),),
    ),
    "generations of the root": (
        {"rootGenerations": [{"name": "first"}, {"name": "second"}], "rootSigning": "first"},
        (("docs/stack-token.md", "## rootGenerations"),),
    ),
    "a root made in Vault": (
        {"rootSource": "vault"},
        (("docs/root-ca.md", "for the source `vault`"),),
    ),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_the_documented_policies_are_enough(feature: str) -> None:
    config, pages = FEATURES[feature]
    needs = vault_needs(load(**config))
    policy = [*rules("README.md"), *_DEFAULT]
    for page in pages:
        more = rules(*page)
        assert _lacked(needs, policy)
        # A rule for a path that has one already takes its place.
        paths = {str(_RULE.fullmatch(rule)["path"]) for rule in more}  # type: ignore[index]
        policy = [rule for rule in policy if _RULE.fullmatch(rule)["path"] not in paths]  # type: ignore[index]
        policy += more
    assert _lacked(needs, policy) == []


def _lacked(needs: Sequence[Need], policy: Sequence[str]) -> list[tuple[Need, list[str]]]:
    told = {need.asked_at: granted(need.asked_at, policy) for need in needs}
    return [(need, lacked) for need in needs if (lacked := lacking(need, told))]


def test_without_a_rule_something_is_lacking() -> None:
    needs = vault_needs(load())
    policy = [*rules("README.md"), *_DEFAULT]
    for rule in policy:
        assert _lacked(needs, [each for each in policy if each != rule]), rule


def test_who_is_root_lacks_nothing() -> None:
    need = Need("pki/config/ca", ("update",))
    assert lacking(need, {"pki/config/ca": ["root"]}) == []
    assert lacking(need, {"pki/config/ca": ["deny"]}) == ["update"]
    assert lacking(need, {}) == ["update"]


def test_the_audit_log_of_another_stacks_vault_has_rules_of_its_own() -> None:
    settings = load()
    vault = replace(settings.vault, audit_file="/vault/audit/audit.log")
    needs = vault_needs(replace(settings, vault=vault))
    policy = [*rules("README.md"), *_DEFAULT]
    further = rules("docs/stack-token.md", "## vaultStack")

    for rule in further:
        assert _lacked(needs, [*policy, *(each for each in further if each != rule)]), rule
    assert _lacked(needs, [*policy, *further]) == []
