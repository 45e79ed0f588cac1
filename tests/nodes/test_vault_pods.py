"""`mesh-trust vault` and servers that are pods, which join each other by their names."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.lab import Lab
from tests.operations.vault.commands import Told, shell

from .pods import until
from .vault_pods import CLUSTER, NAMESPACE, SECONDS, VaultPods, vault_pods

pytestmark = pytest.mark.soak

SMALL = ("--shares", "3", "--threshold", "2")


class Administrator:
    """The command with a kubeconfig and a folder for secrets, and what must not be printed."""

    def __init__(self, pods: VaultPods, folder: Path) -> None:
        self._pods, self.folder = pods, folder
        self._secrets: set[str] = set()

    def run(self, verb: str, *arguments: str, token: str | None = None) -> Told:
        environment = {
            "COLUMNS": "200",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self._pods.lab.directory.kubeconfig),
            "PATH": os.environ["PATH"],
        }
        if token is not None:
            environment["VAULT_TOKEN"] = token
        named = ["--context", CLUSTER, "--namespace", NAMESPACE]
        named += ["--ca-file", str(self._pods.ca_file)]
        told = shell(verb, *named, *arguments, environment=environment)
        assert "Traceback" not in told.printed, told.printed
        assert not any(each in told.printed for each in self._secrets)
        return told

    def done(self, verb: str, *arguments: str, token: str | None = None) -> str:
        told = self.run(verb, *arguments, token=token)
        assert told.exit_code == 0, told.printed
        return told.output

    def answering(self) -> list[bool]:
        """Whether each is initialised, once all of them answer."""
        told: list[Told] = []

        def all_answer() -> bool:
            told.append(self.run("status", "--json"))
            return all(each["status"] for each in told[-1].document["members"])

        until(all_answer, "servers that answer", SECONDS)
        return [each["status"]["is_initialised"] for each in told[-1].document["members"]]

    def init(self, name: str) -> str:
        """Initialises; the root token, which is kept."""
        files = ["--keys-file", str(self.keys(name)), "--token-file", str(self.folder / name)]
        self.done("init", *files, *SMALL, "--keep-root-token")
        document: dict[str, Any] = json.loads(self.keys(name).read_text())
        self._secrets.update([*document["keys"], document["root_token"]])
        return str(document["root_token"])

    def keys(self, name: str) -> Path:
        return self.folder / f"{name}.json"


@pytest.fixture
def pods(lab: Lab, tmp_path: Path) -> Iterator[VaultPods]:
    with vault_pods(lab, tmp_path, 3) as pods:
        yield pods


def peers(pods: VaultPods, token: str) -> dict[str, str]:
    """Addresses of the servers that raft knows, by their names."""
    told = pods.asked(pods.names[0], "operator raft list-peers", token)
    return {each["node_id"]: each["address"] for each in told["data"]["config"]["servers"]}


def test_pods_are_set_up_lost_and_restored(pods: VaultPods, tmp_path: Path) -> None:
    administrator = Administrator(pods, tmp_path)
    assert administrator.answering() == [False] * 3

    token = administrator.init("first")

    expected = {name: f"{name}.vault-internal:8201" for name in pods.names}
    assert peers(pods, token) == expected
    assert administrator.run("status").exit_code == 0
    pods.run("vault-0", "secrets enable -path=kv kv", token)
    pods.run("vault-0", "kv put kv/told value=kept", token)

    # One is lost with its data, and joins the others anew under its name.
    unseal = ("unseal", "--keys-file", str(administrator.keys("first")))
    pods.lose("vault-1")
    assert administrator.answering() == [True, False, True]
    lost = administrator.run("status")
    assert lost.exit_code == 1
    assert f"--context {CLUSTER} --namespace {NAMESPACE}" in lost.output
    administrator.done(*unseal)
    assert administrator.run("status").exit_code == 0
    assert peers(pods, token) == expected

    # All are.
    snapshot = ("--snapshot-file", str(tmp_path / "snapshot"))
    administrator.done("snapshot", *snapshot, token=token)
    pods.lose(*pods.names)
    assert administrator.answering() == [False] * 3
    keys = ("--keys-file", str(administrator.keys("first")))
    administrator.done("restore", *snapshot, *keys, "--yes")
    assert administrator.run("status").exit_code == 0
    assert peers(pods, token) == expected
    for name in pods.names:
        assert pods.asked(name, "kv get kv/told", token)["data"] == {"value": "kept"}
