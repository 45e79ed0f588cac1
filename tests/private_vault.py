"""A Vault in memory for one run of tests, and what it was asked for."""

import json
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hvac
import pytest

if TYPE_CHECKING:
    from lab.toolchain import Toolchain

_START_SECONDS = 30


@dataclass(frozen=True)
class PrivateVault:
    """A Vault in memory: its address, its root token, and a plain client to look into it.

    The client is an `hvac.Client`, most of whose methods have no types.
    """

    address: str
    token: str
    client: Any


class AuditLog:
    """What a Vault was asked to write, from its own audit log."""

    def __init__(self, client: Any, path: Path) -> None:
        client.sys.enable_audit_device("file", options={"file_path": str(path)})
        self._path = path

    def writes(self, mount: str) -> list[str]:
        """Paths that were written at or below `mount`, or where it is mounted and tuned."""
        return [path for path in self.all_writes() if mount in path.split("/")]

    def all_writes(self) -> list[str]:
        """All paths that were written, once for the request and once for the answer."""
        return [
            entry["request"]["path"]
            for entry in self._entries()
            if entry["request"]["operation"] in ("create", "update", "patch", "delete")
        ]

    def requests(self) -> list[tuple[str, str]]:
        """Operation and path of every request, in their order."""
        return [
            (entry["request"]["operation"], entry["request"]["path"])
            for entry in self._entries()
            if entry["type"] == "request"
        ]

    def _entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text().splitlines()]


@pytest.fixture(scope="session")
def vault(
    toolchain: "Toolchain", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrivateVault]:
    """One for all tests of the folder whose conftest.py takes this."""
    directory = tmp_path_factory.mktemp("vault")
    with running_vault(toolchain["vault"].path, directory, "http") as running:
        yield running


@contextmanager
def running_vault(
    executable: Path, directory: Path, scheme: str, *arguments: str, verify: str | bool = True
) -> Iterator[PrivateVault]:
    """Runs a development server for as long as the context lasts."""
    token = secrets.token_hex(16)
    address = f"127.0.0.1:{_free_port()}"
    with (
        (directory / "vault.log").open("w") as log,
        subprocess.Popen(
            [executable, "server", "-dev", f"-dev-listen-address={address}", *arguments],
            env={"HOME": str(directory), "VAULT_DEV_ROOT_TOKEN_ID": token},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            client = hvac.Client(f"{scheme}://{address}", token=token, verify=verify)
            _await_ready(client, process)
            yield PrivateVault(f"{scheme}://{address}", token, client)
        finally:
            process.terminate()
            process.wait(timeout=10)
            client.adapter.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_ready(client: hvac.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.is_authenticated():
                return
        except OSError:
            # No one listens yet, or the file of the CA is not written yet.
            pass
        time.sleep(0.1)
    pytest.fail(f"Vault is not ready after {_START_SECONDS} s, or ended: {process.poll()}")
