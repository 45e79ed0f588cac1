"""The pipelines to copy: what they may use, and that what they run is there."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from lab.directory import CHECKOUT
from mesh_trust.operations.command import main
from tests.command_line import require_known

GITHUB = sorted(
    [*(CHECKOUT / "ci" / "github").glob("*.yml"), *(CHECKOUT / ".github/workflows").glob("*.yml")]
)
GITLAB = sorted((CHECKOUT / "ci" / "gitlab").glob("*.yml"))
ENGINE = "3.259.0"
"""The engine that the lab builds, and that all of this was tried with."""
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def loaded(path: Any) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


def steps(workflow: Mapping[Any, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, job in workflow["jobs"].items():
        for step in job["steps"]:
            yield name, step


def commands() -> list[str]:
    """Every line that a pipeline runs."""
    found = [
        line for path in GITHUB for _, step in steps(loaded(path)) if (line := step.get("run"))
    ]
    for path in GITLAB:
        for job in loaded(path).values():
            if isinstance(job, dict):
                found += [*job.get("script", ()), *job.get("before_script", ())]
    return found


def test_there_are_pipelines() -> None:
    assert sorted(path.name for path in GITHUB) == [
        "drift.yml",
        "preview.yml",
        "test.yml",
        "update.yml",
    ]
    assert GITLAB
    assert len(commands()) > 20


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Any) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for each in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+(, .*)?", each), each
    # One commit for each version, wherever it is used.
    pairs = {tuple(each.partition(",")[0].split(" # ")) for each in used}
    assert len({name for name, _ in pairs}) == len(pairs)


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_workflows_may_no_more_than_they_need(path: Any) -> None:
    workflow = loaded(path)
    assert workflow["permissions"] == {"contents": "read"}
    # YAML reads `on` as true.
    assert "pull_request_target" not in workflow[True]
    for name, job in workflow["jobs"].items():
        writes = {key for key, value in job.get("permissions", {}).items() if value == "write"}
        allowed = {"comment": {"pull-requests"}}.get(name, {"id-token"})
        assert writes <= allowed, name
    for name, step in steps(workflow):
        # What others may choose, as a branch's name, reaches a shell by a variable only.
        assert "${{" not in step.get("run", ""), name
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", [*GITHUB, *GITLAB], ids=lambda path: path.name)
def test_the_engine_is_the_one_that_was_tried(path: Any) -> None:
    for version in re.findall(r"(?:pulumi-version|PULUMI_VERSION): (\S+)", path.read_text()):
        assert version == ENGINE


def test_make_targets_are_there() -> None:
    targets = set(_TARGET.findall((CHECKOUT / "Makefile").read_text()))
    used = {
        name for line in commands() for name in re.findall(r"\bmake (?:--silent )?([a-z-]+)", line)
    }
    assert {"ci-preview", "ci-up", "ci-drift", "install", "test"} <= used
    assert used <= targets


def test_commands_of_the_cli_are_there_with_their_options() -> None:
    found = 0
    for line in commands():
        for told in re.findall(r"-m mesh_trust.operations ([^|>;)]*)", line):
            # Up to what another command is given.
            words = shlex.split(told.split(" -- ")[0].replace('")', '"'))
            require_known(main, words)
            found += 1
    assert found > 10


def test_a_command_that_is_not_there_is_noticed() -> None:
    with pytest.raises(AssertionError):
        require_known(main, ["ci", "nosuch"])
    with pytest.raises(AssertionError):
        require_known(main, ["ci", "environments", "--nosuch"])


def test_the_project_s_own_workflow_runs_what_its_ci_runs() -> None:
    run = [
        step["run"]
        for _, step in steps(loaded(CHECKOUT / ".github/workflows/test.yml"))
        if "run" in step
    ]
    assert run == ["make test"]
    assert (CHECKOUT / ".ci" / "run").read_text().splitlines()[-1] == "exec make test"
