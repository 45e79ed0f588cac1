"""Each way in which an installed Vault does not become ready is told, on real nodes."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from lab import processes
from lab.lab import Lab
from tests.program.program import Program

from .installed import InstalledVault
from .pods import core
from .test_program import install

SECONDS = 20
"""Time-out of the waits: longer than Vault takes to be ready."""


@pytest.fixture(scope="module")
def program(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return Program(lab, tmp_path_factory.mktemp("configuration"))


@pytest.fixture
def stack(lab: Lab, program: Program) -> Iterator[Program]:
    """The program with nothing deployed, before and after."""
    program.run("preview")
    yield program
    if program.deployed:
        program.destroy()
    program.configure_as_committed()
    # What was stopped for the test.
    lab.up(Console(file=io.StringIO()))


def message(program: Program, values: Any = None, **changes: Any) -> str:
    """The one line by which `up` gives up."""
    given = {} if values is None else {"values": values}
    install(program, timeoutSeconds=SECONDS, **given, **changes)
    program.deployed = True
    outcome = program.attempt("up", "--yes", "--skip-preview")
    assert outcome.exit_code != 0, outcome.output
    lines = {
        line.strip() for line in outcome.output.splitlines() if "Vault is not ready after" in line
    }
    told = {line[line.index("Vault is not ready") :] for line in lines}
    assert len(told) == 1, outcome.output
    [line] = told
    return line


def end(lab: Lab, name: str) -> None:
    """Ends one of the lab's processes."""
    processes.end(each for each in processes.running(lab.directory) if each.name == name)


@pytest.mark.soak
def test_an_image_that_is_not_to_be_had(lab: Lab, stack: Program) -> None:
    """Corrected values reach a pod that never ran once it is made anew; then all goes on."""
    line = message(stack, {"server": {"image": {"tag": "0.0.0"}}})

    assert "pod vault/vault-0 gets no image hashicorp/vault:0.0.0 (" in line
    assert "correct server.image in values" in line
    assert "this pod is still that of before the last upgrade" in message(stack)

    core(lab, "mgmt").delete_namespaced_pod("vault-0", "vault")
    stack.up()
    assert InstalledVault.of(lab).mounts() == {"pki/", "pki_int_east/", "pki_int_west/"}


@pytest.mark.soak
def test_a_pod_that_no_node_takes(stack: Program) -> None:
    line = message(stack, {"server": {"resources": {"requests": {"memory": "1000Gi"}}}})

    assert "pod vault/vault-0 is pending: 0/1 nodes are available: 1 Insufficient memory" in line
    assert "ask for less in values" in line


@pytest.mark.soak
def test_a_cluster_without_a_scheduler(lab: Lab, stack: Program) -> None:
    """What kubectl calls a pod that does not have a host assigned."""
    end(lab, "kube-scheduler-mgmt")

    line = message(stack)

    assert "pod vault/vault-0 has no node yet, and no scheduler has said anything about it" in line
    assert "kubectl" in line


@pytest.mark.soak
def test_a_cluster_that_makes_no_pods(lab: Lab, stack: Program) -> None:
    """What kubectl calls a pod that is not found."""
    api = core(lab, "mgmt")
    api.create_namespace({"metadata": {"name": "full"}})
    quota: Any = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    api.create_namespaced_resource_quota("full", quota)
    try:
        line = message(stack, namespace="full", createNamespace=False)
        stack.destroy()
    finally:
        api.delete_namespace("full")

    assert "pod full/vault-0 cannot be made: " in line
    assert "exceeded quota: none" in line


@pytest.mark.soak
def test_no_address_for_the_load_balancer(lab: Lab, stack: Program) -> None:
    end(lab, "caretaker-mgmt")

    line = message(stack)

    assert "Service vault/vault has no load balancer address yet" in line
    assert "or choose another service type" in line


@pytest.mark.soak
def test_an_address_behind_which_nobody_answers(stack: Program) -> None:
    line = message(stack, {"server": {"service": {"targetPort": 9999}}})

    assert "http://198." in line
    assert ":8200" in line


def test_a_vault_that_does_not_start(lab: Lab, stack: Program) -> None:
    line = message(stack, {"server": {"extraArgs": "-no-such-option"}})

    assert "container vault of pod vault/vault-0 ended with exit code" in line
    assert "see its log, which may hold the root token: " in line
    token = InstalledVault.of(lab).root_token
    assert all(token not in each.output for each in stack.transcript)
