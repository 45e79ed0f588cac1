"""`python -m lab` as a user runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from filelock import FileLock, Timeout

from lab.__main__ import main
from lab.directory import CHECKOUT, LabDirectory
from lab.lab import UNWANTED, ExistingLab, Lab, ServerStatus
from lab.processes import marks
from lab.pulumi_home import ENGINE


def _run(*arguments: str, directory: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab", "--directory", str(directory), *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=check,
    )


def test_status_names_every_process(lab: Lab) -> None:
    answer = _run("status", directory=lab.directory.root)
    assert answer.stdout.count("healthy") == 8
    statuses = json.loads(_run("status", "--json", directory=lab.directory.root).stdout)
    assert [each["failure"] for each in statuses] == [None] * 8
    assert {each["name"] for each in statuses} >= {"etcd", "vault", "kube-apiserver-mgmt"}
    assert all(each["address"].startswith("https://127.0.0.1:") for each in statuses)
    assert all(each["uptime_seconds"] > 0 and each["memory_bytes"] > 2**20 for each in statuses)


def test_env_prints_no_secret_and_gives_them_all(lab: Lab) -> None:
    script = _run("env", directory=lab.directory.root).stdout
    secrets = (lab.directory.vault_root_token, lab.directory.passphrase)
    assert not any(file.read_text() in script for file in secrets)
    command = f'{script}\nprintf \'%s|%s|%s\' "$VAULT_TOKEN" "$KUBECONFIG" "$PATH"'
    answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    token, kubeconfig, path = answer.stdout.split("|")
    assert token == lab.directory.vault_root_token.read_text()
    assert kubeconfig == str(lab.directory.kubeconfig)
    assert path.startswith(f"{lab.directory.commands}:")


def test_a_plain_pulumi_after_env_leaves_the_checkout_as_it_is(lab: Lab, tmp_path: Path) -> None:
    committed = CHECKOUT / "Pulumi.dev.yaml"
    before = committed.read_bytes()

    asked = _in_a_users_shell(lab, "pulumi config --json", tmp_path)
    assert json.loads(asked.stdout)["mesh-trust:development"]["value"] == "true"
    refused = _in_a_users_shell(lab, "pulumi config set kubeconfig elsewhere", tmp_path)
    assert refused.returncode == 1
    assert "Pulumi.dev.yaml in the checkout: edit that" in refused.stderr

    assert committed.read_bytes() == before


def test_variables_of_the_users_shell_do_not_lead_astray(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PULUMI_STACK", *UNWANTED):
        monkeypatch.setenv(name, "theirs")
    script = _run("env", directory=lab.directory.root).stdout
    answer = subprocess.run(
        ["sh", "-c", f"{script}\nenv"], capture_output=True, text=True, check=True
    )
    assert [line for line in answer.stdout.splitlines() if "=theirs" in line] == [
        "PULUMI_STACK=theirs"
    ]
    # The stack's secrets can be opened, and the stack is the lab's.
    asked = _run("pulumi", "--", "config", "--json", directory=lab.directory.root)
    assert "mesh-trust:clusters" in json.loads(asked.stdout)


def _in_a_users_shell(lab: Lab, command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = _run("env", directory=lab.directory.root).stdout
    return subprocess.run(
        ["sh", "-c", f"{script}\n{command}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_engine_runs_as_the_labs_own_and_the_stack_is_prepared_by_one_at_a_time(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, str]] = []
    locked: list[bool] = []

    def prepare_stack(directory: LabDirectory, _environment: Mapping[str, str]) -> None:
        try:
            FileLock(directory.lock).acquire(timeout=0)
        except Timeout:
            locked.append(True)

    monkeypatch.chdir(CHECKOUT)
    monkeypatch.setenv("PULUMI_STACK", "prod")
    monkeypatch.setattr("lab.__main__.prepare_stack", prepare_stack)
    monkeypatch.setattr(os, "execve", lambda *arguments: started.append(arguments[2]))
    done = CliRunner().invoke(main, ["pulumi", "--", "version"], env=_directory(lab))
    assert (done.exception, locked) == (None, [True])
    [environment] = started
    assert environment["PULUMI_STACK"] == "dev"
    assert environment.items() >= marks(lab.directory, ENGINE).items()


def test_an_engine_that_is_gone_is_told(lab: Lab) -> None:
    engine = lab.directory.engine / ENGINE
    hidden = engine.rename(engine.with_name("hidden"))
    try:
        answer = _run("pulumi", "--", "version", directory=lab.directory.root, check=False)
    finally:
        hidden.rename(engine)
    assert answer.returncode == 1
    assert (
        answer.stderr
        == f"error: {engine} is missing or leads nowhere: `make up` sets it up again\n"
    )


def test_what_a_server_says_is_no_markup(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "[/red] no such host [Errno 2]"
    status = ServerStatus("vault", "https://127.0.0.1:1", said, None, None, None)
    monkeypatch.setattr(ExistingLab, "status", lambda _: [status])
    done = CliRunner().invoke(main, ["status"], env={**_directory(lab), "COLUMNS": "200"})
    assert said in done.output


def _directory(lab: Lab) -> dict[str, str]:
    return {"LAB_DIR": str(lab.directory.root)}


@pytest.mark.parametrize("hints", [True, False])
def test_what_can_be_done_next_is_told_unless_it_follows_at_once(lab: Lab, hints: bool) -> None:
    options = ["--no-nodes", "--no-istiods", *([] if hints else ["--no-hints"])]
    answer = _run("up", *options, directory=lab.directory.root)
    assert ("make down" in answer.stdout) is hints


@pytest.mark.parametrize("command", ["status", "env"])
def test_where_there_is_no_lab_it_is_told(tmp_path: Path, command: str) -> None:
    answer = _run(command, directory=tmp_path / "none", check=False)
    assert answer.returncode == 1
    assert "make up" in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("file", ["lab.json", "servers.json"])
@pytest.mark.parametrize("content", ["[]", "{", '{"workload_clusters": [], "ports": []}', "[1]"])
def test_what_is_broken_is_told_in_one_line(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / file).write_text(content)
    answer = _run("env" if file == "lab.json" else "status", directory=tmp_path, check=False)
    if answer.stdout:
        # An empty list of servers is no broken one.
        assert (file, content) == ("servers.json", "[]")
    else:
        assert answer.stderr.startswith(f"error: {tmp_path / file} cannot be read")
        assert len(answer.stderr.splitlines()) == 1
    assert answer.returncode == 1


def test_what_the_system_refuses_is_told_in_one_line() -> None:
    answer = _run("status", directory=Path("/dev/null/lab"), check=False)
    assert answer.returncode == 1
    assert answer.stderr == "error: [Errno 20] Not a directory: '/dev/null/lab/servers.json'\n"


@pytest.mark.parametrize("command", ["down", "clean"])
def test_stopping_where_there_is_no_lab_is_no_error(tmp_path: Path, command: str) -> None:
    _run(command, directory=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_pulumi_runs_the_engine_on_the_labs_stack_and_gives_its_exit_code(lab: Lab) -> None:
    committed = CHECKOUT / "Pulumi.dev.yaml"
    before = committed.read_bytes()
    run = partial(_run, "pulumi", "--", directory=lab.directory.root)
    stacks = json.loads(run("stack", "ls", "--json").stdout)
    assert [(each["name"], each["current"]) for each in stacks] == [("dev", True)]
    assert "mesh-trust:clusters" in json.loads(run("config", "--json").stdout)
    # The engine's own code for a stack that does not exist.
    assert run("stack", "select", "nowhere", check=False).returncode == 6
    assert committed.read_bytes() == before
