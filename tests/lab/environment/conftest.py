"""One lab with real servers, shared by the tests of this folder."""

import io
from collections.abc import Iterator
from typing import Any

import hvac
import pytest
from kubernetes import client, config
from rich.console import Console

from lab.lab import Lab
from lab.toolchain import Toolchain


@pytest.fixture(scope="session")
def lab(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A started lab; a test that breaks it mends it with `up` before it ends."""
    lab = Lab(tmp_path_factory.mktemp("environment") / "lab", toolchain)
    try:
        lab.up(Console(file=io.StringIO()))
        yield lab
    finally:
        lab.clean()


@pytest.fixture
def east(lab: Lab) -> client.ApiClient:
    """An administrator's client for the workload cluster `east`."""
    return connect(lab, "east")


def unchecked(answer: object) -> Any:
    """Let the fields of a typed client's answer be read: its types make every one optional."""
    return answer


def connect(lab: Lab, context: str) -> client.ApiClient:
    """Open a client as a user of the lab's kubeconfig does."""
    return config.new_client_from_config(str(lab.directory.kubeconfig), context)


def vault_client(lab: Lab) -> Any:
    """Open a client with the root token, as a user of the lab's environment does."""
    environment = lab.environment()
    return hvac.Client(
        url=environment["VAULT_ADDR"],
        token=environment["VAULT_TOKEN"],
        verify=environment["VAULT_CACERT"],
    )
