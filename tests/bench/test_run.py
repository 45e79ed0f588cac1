"""The bench's own run, with one cluster: all ways make the same, and the results are written."""

import sys
from pathlib import Path

import pytest

from bench.figures import OPERATIONS, PULUMI, WAYS, Results
from lab.directory import CHECKOUT
from tests.commands import run_command

# Two labs, one with a node, are started for it.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]


def test_one_cluster_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--clusters", "1", "--rounds", "1"]
    done = run_command([*command, "--output", tmp_path], CHECKOUT)
    assert done.returncode == 0, done.stdout
    results = Results.read(tmp_path / "results.json")
    assert {each.operation for each in results.figures if each.way == PULUMI} == set(OPERATIONS)
    assert {each.way for each in results.figures} == set(WAYS)
    assert all(each.vault_calls > 0 and each.kubernetes_calls > 0 for each in results.figures)
    assert "## 1 clusters" in (tmp_path / "README.md").read_text()
    assert (tmp_path / "results.svg").read_text().startswith("<?xml")

    again = run_command([*command, "--resume", "--output", tmp_path], CHECKOUT)
    assert again.returncode == 0, again.stdout
    assert "measured already" in again.stdout
    assert Results.read(tmp_path / "results.json") == results
