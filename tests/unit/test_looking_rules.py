"""What a pipeline's token may look at is what an update's may read, and nothing is written."""

import re

import pytest

from tests.program.token_policy import further_rules, hcl_of, readme_rules, rules

PAGE = "docs/preview-in-ci.md"
FEATURES = ("vaultStack", "reviewerMode: jwt", "signingCa: cluster", "rootGenerations")
LOOKS = {"read", "list", "sudo"}


def capabilities(rule: str) -> tuple[str, set[str]]:
    """The path of a rule, and what it allows."""
    found = re.fullmatch(r'path "(\S+)" +\{ capabilities = \[(.*?)\](, allowed_.*)? \}', rule)
    assert found, rule
    return found[1], set(re.findall(r'"(\w+)"', found[2]))


def looked_at(own: list[str]) -> dict[str, set[str]]:
    return dict(map(capabilities, own))


def covers(looking: dict[str, set[str]], path: str, allowed: set[str]) -> bool:
    """Whether the rule for exactly this path, or one that it falls under, allows as much."""
    return any(
        allowed <= found
        for each, found in looking.items()
        if each == path or (each.endswith("*") and path.startswith(each[:-1]))
    )


def missing(writing: list[str], looking: list[str]) -> list[str]:
    """Paths that an update may read and a pipeline's token may not look at."""
    found = looked_at(looking)
    return [
        path
        for path, allowed in map(capabilities, writing)
        if allowed & {"read", "list"}
        # What is not read but made goes by sudo, too.
        and not covers(found, path, allowed & {"read", "list"})
    ]


@pytest.mark.parametrize("feature", [None, *FEATURES])
def test_all_that_an_update_reads_can_be_looked_at(feature: str | None) -> None:
    if feature is None:
        assert missing(rules(), hcl_of(PAGE)) == []
        return
    looking = [*hcl_of(PAGE), *further_rules(feature, PAGE)]
    assert missing([*readme_rules(), *further_rules(feature)], looking) == []
    # Each of them is needed: without, what it is for cannot be looked at.
    assert missing(further_rules(feature), hcl_of(PAGE)) != []


@pytest.mark.parametrize("feature", [None, *FEATURES])
def test_nothing_can_be_written(feature: str | None) -> None:
    own = hcl_of(PAGE) if feature is None else further_rules(feature, PAGE)
    for path, allowed in map(capabilities, own):
        # For the provider's own token.
        assert allowed <= LOOKS or (path, allowed) == ("auth/token/create", {"update"})
