"""`python -m lab` as a user runs it."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from lab.directory import CHECKOUT
from lab.lab import Lab


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


def _in_a_users_shell(lab: Lab, command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = _run("env", directory=lab.directory.root).stdout
    return subprocess.run(
        ["sh", "-c", f"{script}\n{command}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["status", "env"])
def test_where_there_is_no_lab_it_is_told(tmp_path: Path, command: str) -> None:
    answer = _run(command, directory=tmp_path / "none", check=False)
    assert answer.returncode == 1
    assert "lab up" in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "none").exists()


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
