"""A wrong value ends the program with one line, before anything is written."""

from typing import Any

import pytest

from lab.lab import Lab

from .inventory import take_inventory
from .program import Program, clusters


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"clusters": []}, "clusters: [] is not valid; list at least one workload cluster"),
        (
            {"clusters": [*clusters("east"), {"name": "we_st", "context": "west"}]},
            "clusters[1].name: 'we_st' is not valid; use 1 to 63 lower-case letters, digits and "
            "hyphens, a letter or digit at each end",
        ),
        (
            {"clusters": clusters("north-of-nowhere")},
            "'north-of-nowhere' is not valid; use one that it has: east, mgmt, north, west",
        ),
        (
            {"vaultAddress": "https://127.0.0.1/v1"},
            "vaultAddress: 'https://127.0.0.1/v1' is not valid; "
            "leave out everything but scheme, host and port",
        ),
        (
            {"vaultAddress": "http://127.0.0.1:8200", "development": False},
            "vaultAddress: 'http://127.0.0.1:8200' is not valid; "
            "use https; plain HTTP is for development only",
        ),
        (
            {"intermediateLifetimeDays": 4000},
            "intermediateLifetimeDays: 4000 is not valid; use less than rootLifetimeDays (3650)",
        ),
    ],
)
@pytest.mark.parametrize("command", [("preview",), ("up", "--yes", "--skip-preview")])
def test_a_wrong_value_is_one_line(
    lab: Lab, deployed: Program, changes: dict[str, Any], line: str, command: tuple[str, ...]
) -> None:
    before = take_inventory(lab)
    deployed.configure(**changes)
    try:
        outcome = deployed.attempt(*command)
    finally:
        deployed.configure_as_committed()

    assert outcome.exit_code != 0
    assert line in outcome.output
    assert "Traceback" not in outcome.output
    assert take_inventory(lab).changes_since(before) == set()
