"""Killed, stopped, started twice, deleted: what is left, and what is there again."""

import io
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from kubernetes import client
from rich.console import Console

from lab import processes, startup
from lab.errors import LabError
from lab.lab import ExistingLab, Lab
from lab.memory import LabMemory
from lab.ports import is_free
from lab.progress import Steps
from lab.pulumi_home import ENGINE
from lab.servers import Probe, Server, write_servers
from lab.startup import bring_up
from lab.toolchain import Toolchain
from lab.topology import Topology, port_names, topology
from tests.lab.environment.conftest import connect, unchecked, vault_client
from tests.lab.environment.test_processes import SLEEP


def _up(lab: Lab) -> str:
    output = io.StringIO()
    lab.up(Console(file=output, width=200))
    return output.getvalue()


def _processes(lab: ExistingLab) -> dict[str, int]:
    return {each.name: each.process.pid for each in processes.running(lab.directory)}


def _kill(lab: ExistingLab, *names: str) -> None:
    for each in processes.running(lab.directory):
        if each.name in names:
            each.process.kill()
            each.process.wait()


def _write_marks(lab: Lab, value: str) -> None:
    vault_client(lab).write_data("cubbyhole/mark", data={"value": value})
    core = client.CoreV1Api(connect(lab, "west"))
    core.patch_namespace("istio-system", {"metadata": {"annotations": {"mark": value}}})


def _read_marks(lab: Lab) -> tuple[str, str]:
    core = client.CoreV1Api(connect(lab, "west"))
    kept = unchecked(core.read_namespace("istio-system")).metadata.annotations["mark"]
    return vault_client(lab).read("cubbyhole/mark")["data"]["value"], kept


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_every_secret_is_its_owners_only(lab: Lab) -> None:
    readable = stat.S_IRWXG | stat.S_IRWXO
    assert lab.directory.root.stat().st_mode & 0o777 == 0o700
    secret_files = [
        lab.directory.vault_root_token,
        lab.directory.vault_unseal_key,
        lab.directory.passphrase,
        lab.directory.kubeconfig,
        *lab.directory.root.rglob("*.key"),
        *lab.directory.root.rglob("*.kubeconfig"),
        *lab.directory.logs.iterdir(),
    ]
    assert len(secret_files) > 25
    assert [file for file in secret_files if file.stat().st_mode & readable] == []


def test_what_runs_well_is_left_alone_and_no_secret_is_told(lab: Lab) -> None:
    before = _processes(lab)
    output = _up(lab)
    assert _processes(lab) == before
    assert output.count("already running") == len(before) == 8
    told = [output, *(log.read_text() for log in lab.directory.logs.iterdir())]
    told += [" ".join(each.arguments) for each in processes.running(lab.directory)]
    for secret in (lab.directory.vault_root_token, lab.directory.vault_unseal_key):
        assert not any(secret.read_text() in text for text in told)


@pytest.mark.parametrize("victim", ["etcd", "kube-apiserver-east", "kube-controller-manager-west"])
def test_one_killed_server_is_started_again_on_its_data(lab: Lab, victim: str) -> None:
    before, addresses = _processes(lab), lab.environment()
    _write_marks(lab, victim)
    _kill(lab, victim)
    assert {each.name for each in lab.status() if each.failure == "not running"} == {victim}
    _up(lab)
    after = _processes(lab)
    assert {name for name in before if before[name] != after[name]} == {victim}
    assert [each.failure for each in lab.status()] == [None] * 8
    assert lab.environment() == addresses
    assert _read_marks(lab) == (victim, victim)


def test_a_killed_vault_comes_back_sealed_and_is_unsealed(lab: Lab) -> None:
    _write_marks(lab, "vault")
    _kill(lab, "vault")
    plan = topology(lab.directory, LabMemory.read(lab.directory))
    with Steps(Console(file=io.StringIO())) as steps:
        assert plan.vault is not None
        bring_up(lab.directory, [plan.vault], steps)
    assert vault_client(lab).sys.is_sealed()
    [status] = [each for each in lab.status() if each.failure]
    assert (status.name, status.failure) == ("vault", "answers with HTTP status 503")
    assert "vault data: unsealed" in _up(lab)
    assert _read_marks(lab) == ("vault", "vault")


def test_a_sealed_vault_without_its_key_is_told(lab: Lab) -> None:
    key = lab.directory.vault_unseal_key
    hidden = key.rename(key.with_name("hidden"))
    _kill(lab, "vault")
    try:
        with pytest.raises(LabError, match=r"unseal key .* is gone"):
            _up(lab)
    finally:
        hidden.rename(key)
        _up(lab)


def test_a_vault_without_its_root_token_is_told(lab: Lab) -> None:
    """Also while it is unsealed: nothing could be set up in it."""
    token = lab.directory.vault_root_token
    hidden = token.rename(token.with_name("hidden"))
    try:
        with pytest.raises(LabError, match=r"root token .* is gone: .*make clean-lab"):
            _up(lab)
        with pytest.raises(LabError, match="there is no lab yet"):
            lab.environment()
    finally:
        hidden.rename(token)
        _up(lab)


def test_a_server_that_hangs_is_started_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "RECOVERY_SECONDS", 1.0)
    monkeypatch.setattr(processes.end, "__defaults__", (1.0,))
    before = _processes(lab)
    os.kill(before["kube-controller-manager-east"], signal.SIGSTOP)
    _up(lab)
    after = _processes(lab)
    assert {name for name in before if before[name] != after[name]} == {
        "kube-controller-manager-east"
    }


def test_a_lab_that_was_killed_whole_is_picked_up(lab: Lab) -> None:
    """As after kill -9 of everything, or the machine's restart."""
    _write_marks(lab, "everything")
    addresses = lab.environment()
    _kill(lab, *_processes(lab))
    assert _processes(lab) == {}
    _up(lab)
    assert lab.environment() == addresses
    assert [each.failure for each in lab.status()] == [None] * 8
    assert _read_marks(lab) == ("everything", "everything")


def test_a_lab_that_lost_its_memory_starts_again_on_its_data(lab: Lab) -> None:
    """New ports, so new processes; none of the old ones stays."""
    _write_marks(lab, "remembered")
    before = _processes(lab)
    lab.directory.memory.unlink()
    _up(lab)
    after = _processes(lab)
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())
    assert [each.failure for each in lab.status()] == [None] * 8
    assert _read_marks(lab) == ("remembered", "remembered")


def test_a_cluster_is_added_beside_the_others(lab: Lab) -> None:
    before, addresses = _processes(lab), lab.environment()
    lab.up(Console(file=io.StringIO()), ["north"])
    try:
        after = _processes(lab)
        assert {name: after[name] for name in before} == before
        assert set(after) - set(before) == {
            "kube-apiserver-north",
            "kube-controller-manager-north",
        }
        assert lab.environment() == addresses
        assert client.CoreV1Api(connect(lab, "north")).read_namespace("istio-system")
        assert client.CoreV1Api(connect(lab, "east")).read_namespace("istio-system")
        known = client.CustomObjectsApi(connect(lab, "mgmt")).list_namespaced_custom_object(
            "admin.gloo.solo.io", "v2", "gloo-mesh", "kubernetesclusters"
        )
        assert {each["metadata"]["name"] for each in known["items"]} == {"east", "north", "west"}
    finally:
        # A process that the lab has forgotten does not stay.
        memory = LabMemory.read(lab.directory)
        replace(memory, workload_clusters=memory.workload_clusters[:2]).write(lab.directory)
        _up(lab)
        assert _processes(lab) == before


@pytest.mark.parametrize("name", ["mgmt", "two_words", "East", "-east", "", "e" * 33])
def test_a_name_that_cannot_be_a_context_is_refused(
    toolchain: Toolchain, tmp_path: Path, name: str
) -> None:
    with pytest.raises(LabError, match="workload cluster's name"):
        Lab(tmp_path / "lab", toolchain).up(Console(file=io.StringIO()), [name])
    assert not (tmp_path / "lab").exists()


def test_somebody_elses_directory_is_left_alone(toolchain: Toolchain, tmp_path: Path) -> None:
    """As when LAB_DIR names a home directory."""
    (tmp_path / "diary").write_text("dear diary")
    lab = Lab(tmp_path, toolchain)
    for attempt in (lab.stop, lab.clean, lambda: lab.up(Console(file=io.StringIO()))):
        with pytest.raises(LabError, match="not a lab's directory"):
            attempt()
    assert [file.name for file in tmp_path.iterdir()] == ["diary"]


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    ExistingLab(tmp_path).clean()
    assert not tmp_path.exists()


def test_a_command_that_waits_while_the_lab_is_deleted_goes_on(tmp_path: Path) -> None:
    lab = ExistingLab(tmp_path / "lab")
    waiting = io.StringIO()

    def wait_for_it() -> bool:
        with ExistingLab(tmp_path / "lab").locked(Console(file=waiting)):
            return lab.directory.logs.exists()

    with ThreadPoolExecutor() as pool:
        with lab.locked(None):
            waiter = pool.submit(wait_for_it)
            _until(lambda: "waiting" in waiting.getvalue())
            lab.directory.delete()
            time.sleep(0.2)
        assert waiter.result(30)


def test_status_writes_nothing_before_a_lab_is_described(tmp_path: Path) -> None:
    """As during the first `up`, which has chosen its ports only, and during `clean`."""
    lab = ExistingLab(tmp_path / "lab")
    lab.directory.create()
    LabMemory(("east",), dict.fromkeys(port_names(["east"]), 1)).write(lab.directory)
    before = sorted(lab.directory.root.rglob("*"))
    assert lab.status() == []
    assert sorted(lab.directory.root.rglob("*")) == before


def test_status_of_a_lab_that_is_being_deleted_tells_what_is_missing(tmp_path: Path) -> None:
    lab = ExistingLab(tmp_path / "lab")
    lab.directory.create()
    probe = Probe("https://127.0.0.1:1/", tmp_path / "gone.crt")
    server = Server("sleeper", "https://127.0.0.1:1", SLEEP, ready=probe, health=probe)
    write_servers(lab.directory.servers, [server])
    processes.start(lab.directory, "sleeper", SLEEP)
    try:
        [status] = lab.status()
        assert "certificate to ask it with is missing" in str(status.failure)
        assert str(tmp_path / "gone.crt") in str(status.failure)
    finally:
        lab.stop()


def test_an_engine_of_the_lab_is_ended_by_stop_and_by_nothing_else(tmp_path: Path) -> None:
    lab = ExistingLab(tmp_path / "lab")
    lab.directory.create()
    engine = processes.start(lab.directory, ENGINE, SLEEP)
    probe = Probe("https://127.0.0.1:1/", tmp_path / "gone.crt")
    server = Server("sleeper", "https://127.0.0.1:1", SLEEP, ready=probe, health=probe)
    plan = Topology(etcd=server, vault=server, api_servers=(), controller_managers=(), planes=())
    stranger = processes.start(lab.directory, "stranger", SLEEP)
    lab._end_outdated(plan)
    assert not stranger.is_alive()
    assert engine.is_alive()
    lab.stop()
    assert not engine.is_alive()


def test_a_stopped_lab_leaves_no_process_and_no_port(lab: Lab) -> None:
    """Then started by two commands at once, which must end in one lab."""
    ports = [urlsplit(each.address).port for each in lab.status()]
    known = _processes(lab)
    # What the check below must find while the lab runs.
    assert len(known) == 8
    assert not any(is_free(port) for port in ports if port is not None)
    assert all(psutil.pid_exists(process_id) for process_id in known.values())

    lab.stop()
    assert _processes(lab) == {}
    assert all(is_free(port) for port in ports if port is not None)
    assert not any(psutil.pid_exists(process_id) for process_id in known.values())
    assert {each.failure for each in lab.status()} == {"not running"}

    commands = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "lab",
                "--directory",
                str(lab.directory.root),
                "up",
                "--no-nodes",
                "--no-istiods",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [command.communicate(timeout=120)[0] for command in commands]
    assert [command.returncode for command in commands] == [0, 0], outputs
    assert sum("waiting for another command" in output for output in outputs) == 1
    assert len(processes.running(lab.directory)) == 8
    assert [each.failure for each in lab.status()] == [None] * 8


def test_a_deleted_lab_leaves_nothing_even_when_its_memory_is_lost(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    """A half-started lab whose directory somebody has deleted already."""
    lab = Lab(tmp_path / "lab", toolchain)
    with lab.locked(None), Steps(Console(file=io.StringIO())) as steps:
        plan = topology(lab.directory, lab._plan(["east"]))
        bring_up(lab.directory, [plan.etcd], steps)
    assert set(_processes(lab)) == {"etcd"}
    lab.directory.memory.unlink()
    lab.clean()
    assert _processes(lab) == {}
    assert not lab.directory.root.exists()
    assert lab.status() == []
    lab.clean()
