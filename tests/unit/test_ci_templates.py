"""The pipelines to copy: what they may use, and that what they run is there."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.directory import CHECKOUT
from lab.toolchain.cache import cache_root
from lab.toolchain.catalog import AGENT, MODULES
from mesh_trust.operations.command import main
from tests.command_line import require_known
from tests.pipelines import ENGINE, GITHUB, GITLAB, commands, gitlab, loaded, steps

_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def test_there_are_pipelines() -> None:
    assert sorted(path.name for path in GITHUB) == [
        "drift.yml",
        "environment.yml",
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
        if each.startswith("./"):
            assert (CHECKOUT / "ci" / "github" / each.rpartition("/")[2]).is_file(), each
            continue
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+(, .*)?", each), each
    # One commit for each version, wherever it is used.
    pairs = {tuple(each.partition(",")[0].split(" # ")) for each in used if " # " in each}
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
    workflow = loaded(CHECKOUT / ".github/workflows/test.yml")
    run = [step["run"] for _, step in steps(workflow) if "run" in step]
    targets = [name for line in run for name in re.findall(r"\bmake ([a-z-]+)", line)]
    assert targets == ["install", "test"]
    assert (CHECKOUT / ".ci" / "run").read_text().splitlines()[-1] == "exec make test"


def test_the_project_s_own_workflow_has_what_the_tests_need() -> None:
    done = [step for _, step in steps(loaded(CHECKOUT / ".github/workflows/test.yml"))]
    [tests] = [each for each in done if "make test" in each.get("run", "")]
    # Nodes and namespaces take root; a runner's user is none.
    assert tests["run"].startswith("sudo ")
    assert tests["env"] == {"NODES": "0"}
    [go] = [each["with"]["go-version"] for each in done if "setup-go" in each.get("uses", "")]
    for module in (CHECKOUT / "lab").rglob("go.mod"):
        [needed] = re.findall(r"^go (\d+\.\d+)", module.read_text(), re.MULTILINE)
        assert needed == go, module
    [cache] = [each["with"] for each in done if "actions/cache" in each.get("uses", "")]
    home = Path("~").expanduser()
    assert Path(cache["path"]).expanduser() == cache_root({"HOME": str(home)})
    pinned = re.findall(r"'([\w/-]+)/\*\*'", cache["key"])
    for folder in (MODULES, AGENT):
        assert any(folder.is_relative_to(CHECKOUT / each) for each in pinned), folder


def with_what_it_extends(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A job on GitLab as it is run: what it says itself counts most."""
    job = document[name]
    extended = job.get("extends", ())
    merged: dict[str, Any] = {}
    for each in [extended] if isinstance(extended, str) else extended:
        merged |= with_what_it_extends(document, each)
    return {**merged, **job}


def test_vaults_are_planned_and_updated_before_what_stands_in_them() -> None:
    document = gitlab()
    stages = document["stages"]
    for group, suffix in ((".vaults", "-vaults"), (".others", "")):
        for verb in ("plan", "update"):
            job = with_what_it_extends(document, f"{verb}{suffix}")
            assert job["parallel"] == document[group]["parallel"]
            assert job["stage"] == f"{verb}{suffix}"
    order = [stages.index(each) for each in ("plan-vaults", "update-vaults", "plan", "update")]
    assert order == sorted(order)
    # Without it a stage does not wait for a job that somebody has to start.
    assert document["update-vaults"]["rules"][0]["allow_failure"] is False

    jobs = loaded(CHECKOUT / "ci/github/update.yml")["jobs"]
    assert set(jobs["others"]["needs"]) == {"environments", "vaults"}
    assert jobs["vaults"]["needs"] == "environments"
    # One that fails, or was not needed, keeps no other from being updated.
    assert "!cancelled()" in jobs["others"]["if"]
    for name in ("vaults", "others"):
        assert jobs[name]["uses"] == "./.github/workflows/environment.yml"
        assert jobs[name]["strategy"]["fail-fast"] is False


def test_no_merge_is_left_out() -> None:
    workflow = loaded(CHECKOUT / "ci/github/update.yml")
    # GitHub gives up a waiting run of a group for a newer one, which so has to plan all.
    assert "concurrency" not in workflow
    [all_of_them] = [each for _, each in steps(workflow) if each.get("id") == "all"]
    assert "--changed-since" not in all_of_them["run"]
    for name in ("vaults", "others"):
        group = workflow["jobs"][name]["concurrency"]
        assert group == {"group": "update-${{ matrix.environment }}", "cancel-in-progress": False}
    inner = loaded(CHECKOUT / "ci/github/environment.yml")["jobs"]
    refs = [
        step["with"]["ref"]
        for job in ("plan", "update")
        for step in inner[job]["steps"]
        if "checkout" in step.get("uses", "")
    ]
    # The newest commit is planned, and what was planned is what is carried out.
    assert refs == ["${{ github.ref }}", "${{ needs.plan.outputs.commit }}"]
    assert inner["update"]["environment"] == "${{ inputs.environment }}"


def test_a_called_workflow_may_what_its_jobs_need() -> None:
    jobs = loaded(CHECKOUT / "ci/github/environment.yml")["jobs"].values()
    needed = dict(pair for job in jobs for pair in job["permissions"].items())
    callers = loaded(CHECKOUT / "ci/github/update.yml")["jobs"]
    for name in ("vaults", "others"):
        # A called workflow gets no more than its caller has.
        assert callers[name]["permissions"] == needed


def test_nothing_of_an_environment_is_in_variables_of_all() -> None:
    for path in GITHUB:
        assert "VAULT_ADDR" not in path.read_text(), path.name
    document = gitlab()
    assert "VAULT_ADDR" not in str(document)
    assert (
        document[".with-vault"]["id_tokens"]["VAULT_ID_TOKEN"]["aud"] == "mesh-trust-$ENVIRONMENT"
    )
    logins = [line for line in commands() if "with-vault" in line]
    assert len(logins) > 8
    for line in logins:
        assert '--stack "$ENVIRONMENT" ci with-vault' in line
    roles = {role for line in logins for role in re.findall(r"--role \"(\S+)\"", line)}
    assert roles == {"mesh-trust-preview-$ENVIRONMENT", "mesh-trust-update-$ENVIRONMENT"}


def test_the_role_that_writes_is_that_of_updates_alone() -> None:
    writing = {
        (path.name, name)
        for path in GITHUB
        for name, step in steps(loaded(path))
        if "mesh-trust-update-" in step.get("run", "")
    }
    assert writing == {("environment.yml", "update")}
    assert {
        name
        for name, job in gitlab().items()
        if isinstance(job, dict) and "mesh-trust-update-" in str(job.get("script"))
    } == {"update", "update-vaults"}


def test_what_is_kept_of_a_run_is_kept_for_days() -> None:
    kept = [
        step["with"]
        for path in GITHUB
        for _, step in steps(loaded(path))
        if "upload-artifact" in step.get("uses", "")
    ]
    assert len(kept) == 2
    assert all(each["retention-days"] <= 3 for each in kept)
    artifacts = [job["artifacts"] for job in gitlab().values() if "artifacts" in job]
    assert len(artifacts) == 2
    for each in artifacts:
        assert (each["expire_in"], each["access"]) == ("3 days", "developer")
