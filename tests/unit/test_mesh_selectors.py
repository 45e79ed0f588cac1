import re

import pytest

from components import InvalidInputError, istiod_selectors
from components.mesh_selectors import apply_to_meshes, require_expression, revision_expression


def test_the_istiod_of_a_cluster() -> None:
    assert apply_to_meshes(istiod_selectors({"cluster": "east"}, "istio")) == [
        {
            "istio": {
                "clusterSelector": {"cluster": "east"},
                "namespace": "istio",
                "selector": {"app": "istiod"},
            }
        }
    ]


def test_several_revisions_are_one_selector_for_these_and_no_others() -> None:
    [selector] = istiod_selectors({"cluster": "east"}, revisions=["default", "1-20", "canary"])

    [mesh] = apply_to_meshes([selector])
    expression = mesh["istio"]["revision"]
    for revision in ("default", "1-20", "canary"):
        assert re.search(expression, revision)
    for other in ("", "1-2", "1-200", "a1-20", "canary-2", "default|canary", "1.20"):
        assert not re.search(expression, other), other


@pytest.mark.parametrize("revisions", [[], "default", ["a|b"], [".*"], ["default", ""]])
def test_what_is_no_revision_is_refused(revisions: list[str]) -> None:
    with pytest.raises(InvalidInputError, match=r"^revisions"):
        revision_expression(revisions)


@pytest.mark.parametrize(
    "expression",
    [
        *("(", "[a", "a**", "?", ""),
        *("^(?!canary).*", "(?=a)", "(?<=a)b", "(?<!a)b", r"(a)\1", r"\\\\(a)\1"),
        *("(?P<a>x)(?P=a)", "(?>a)", "a++", "a*+", "(a)?(?(1)b|c)", "(?#why)a"),
    ],
)
def test_an_expression_that_gloo_could_not_use_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^revision: .*use a regular expression such as"):
        require_expression("revision", expression)


@pytest.mark.parametrize(
    "expression",
    [
        *("default", "^1-2[0-3]$", "(?:a|b)", "(?i)a", "(?P<a>x)", r"\d+\.\d+", r"a\\1", r"\(\?!a"),
        *("[(?!)]", "[]1]+", "[^]]", "a+?", r"a\++", "a{1,2}"),
    ],
)
def test_an_expression_of_both_languages_passes(expression: str) -> None:
    assert require_expression("revision", expression) == expression
