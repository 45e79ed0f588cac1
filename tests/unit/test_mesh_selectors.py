import re

import pytest

from mesh_trust import InvalidInputError, istiod_selectors
from mesh_trust.mesh_selectors import apply_to_meshes, require_expression, revision_expression
from tests.expressions import IN_BOTH, IN_NEITHER, IN_PYTHON_ONLY


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


@pytest.mark.parametrize("expression", ["", *IN_NEITHER, *IN_PYTHON_ONLY])
def test_an_expression_that_gloo_could_not_use_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^revision: .*use a regular expression such as"):
        require_expression("revision", expression)


@pytest.mark.parametrize("expression", IN_BOTH)
def test_an_expression_of_both_languages_passes(expression: str) -> None:
    assert require_expression("revision", expression) == expression
