"""What a program may wait for, told from an object's status."""

import pytest

from lab.plugins.kubernetes.awaited_expression import parse_expression
from lab.plugins.provider.values import Properties

LIVE: Properties = {
    "metadata": {"generation": 2},
    "status": {
        "observedGeneration": 2,
        "phase": "Done",
        "ok": True,
        "count": 3,
        "parts": [{"name": "a"}],
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Stuck", "status": "False"}],
    },
}


@pytest.mark.parametrize(
    ("expression", "is_met"),
    [
        ("condition=Ready", True),
        ("condition=ready=true", True),
        ("condition=Ready=False", False),
        ("condition=Stuck", False),
        ("condition=Stuck=False", True),
        ("condition=Other", False),
        ("jsonpath={.status.phase}", True),
        ("jsonpath={.status.phase}=Done", True),
        ("jsonpath={.status.phase}=Else", False),
        ("jsonpath={$.status['count']}=3", True),
        ("jsonpath={.status.ok}=true", True),
        ("jsonpath={.status.parts[0].name}=a", True),
        ("jsonpath={.status.parts[1].name}", False),
        ("jsonpath={.status.phase.deeper}", False),
        ("jsonpath={.status.missing}", False),
    ],
)
def test_expressions(expression: str, is_met: bool) -> None:
    assert parse_expression(expression)(LIVE) is is_met


@pytest.mark.parametrize("expression", ["condition=Ready", "jsonpath={.status.phase}"])
def test_status_of_an_older_generation_does_not_count(expression: str) -> None:
    changed: Properties = {**LIVE, "metadata": {"generation": 3}}

    assert parse_expression(expression)(LIVE)
    assert not parse_expression(expression)(changed)


def test_condition_may_have_a_generation_of_its_own() -> None:
    lagging: Properties = {"type": "Ready", "status": "True", "observedGeneration": 1}
    live: Properties = {
        "metadata": {"generation": 2},
        "status": {"observedGeneration": 2, "conditions": [lagging]},
    }

    assert not parse_expression("condition=Ready")(live)
