"""Vault for production on a node: installed, initialised, used, renewed, taken away, put back."""

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import hvac
import pytest
import yaml
from kubernetes import client

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.program.handshake import handshake

from .pods import api_client, core, execute, until

pytestmark = pytest.mark.soak

VAULT_STACK, TRUST_STACK = "own-vault", "own-trust"
SERVERS = ("vault-0", "vault-1", "vault-2")
AUDIT_FILE = "/vault/audit/audit.log"
_SECONDS = 240.0


@dataclass
class Stack:
    """A stack of its own, driven with the engine's command."""

    lab: Lab
    name: str
    folder: Path
    """Where its configuration is."""
    token: str | None = None

    @property
    def _file(self) -> Path:
        return self.folder / f"Pulumi.{self.name}.yaml"

    def configure(self, **values: Any) -> None:
        """Has these values and no others; makes the stack where it is missing."""
        if not self._file.exists():
            shutil.copy(CHECKOUT / "Pulumi.yaml", self.folder)
            self._engine("stack", "init", self.name, folder=self.folder)
        content = yaml.safe_load(self._file.read_text()) or {}
        content["config"] = {f"mesh-trust:{key}": value for key, value in values.items()}
        self._file.write_text(yaml.safe_dump(content))

    def attempt(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs the engine; its output and its errors are one text."""
        where = ("--config-file", str(self._file), "--stack", self.name)
        return self._engine(arguments[0], *where, *arguments[1:], check=False)

    def run(self, *arguments: str) -> str:
        """Runs the engine, which has to succeed; gives what it printed."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def up(self, *arguments: str) -> str:
        return self.run("up", "--yes", "--skip-preview", *arguments)

    def mesh_trust(self, *arguments: str) -> str:
        """Runs `mesh-trust` for this stack, which has to succeed; gives what it printed."""
        path = os.pathsep.join([str(self.lab.directory.engine), os.environ["PATH"]])
        command = [sys.executable, "-m", "mesh_trust.operations", "--stack", self.name]
        done = subprocess.run(
            [*command, "--config-file", str(self._file), *arguments],
            cwd=CHECKOUT,
            env={**self.lab.environment(), "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def outputs(self) -> dict[str, Any]:
        printed = self._engine("stack", "output", "--json", "--stack", self.name, mixed=False)
        outputs: dict[str, Any] = json.loads(printed.stdout)
        return outputs

    def destroy(self) -> None:
        # There may be nothing left.
        self._engine("state", "unprotect", "--all", "--yes", "--stack", self.name, check=False)
        self.run("destroy", "--yes", "--skip-preview")

    def remove(self) -> None:
        """Takes everything down, and the stack with it."""
        if self._file.exists():
            self.destroy()
            self._engine("stack", "rm", "--yes", self.name, folder=self.folder)

    def _engine(
        self, *arguments: str, folder: Path = CHECKOUT, check: bool = True, mixed: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        token = {} if self.token is None else {"VAULT_TOKEN": self.token}
        return subprocess.run(
            [self.lab.directory.engine / "pulumi", *arguments, "--non-interactive"],
            cwd=folder,
            env={**self.lab.environment(), **token},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if mixed else None,
            text=True,
            check=check,
        )


@dataclass
class Servers:
    """The servers as they are seen from outside, and the keys that `init` gave."""

    lab: Lab
    keys: Mapping[str, Any] | None = None

    @property
    def core(self) -> Any:
        return core(self.lab, "mgmt")

    def pods(self) -> dict[str, Any]:
        return {
            each.metadata.name: each
            for each in self.core.list_namespaced_pod("vault").items
            if each.metadata.deletion_timestamp is None
        }

    def vault(self, pod: str, command: str) -> str:
        """What Vault's own command says in a pod."""
        return execute(self.lab, "mgmt", pod, "vault", f"{command} 2>&1 || true", "vault")

    def status(self, pod: str) -> dict[str, Any]:
        printed = self.vault(pod, "vault status -tls-skip-verify -format=json")
        found: dict[str, Any] = json.loads(printed) if printed.startswith("{") else {}
        return found

    def initialise(self, stack: Stack, folder: Path) -> str:
        """Has the command do it, by the stack alone; gives the token that it makes for a stack."""
        keys, token = folder / "keys.json", folder / "token"
        stack.mesh_trust(
            *("vault", "init", "--keys-file", str(keys), "--token-file", str(token)),
            *("--shares", "1", "--threshold", "1", "--keep-root-token"),
        )
        document = json.loads(keys.read_text())
        self.keys = {"unseal_keys_b64": document["keys"], "root_token": document["root_token"]}
        return token.read_text().strip()

    def lose(self, pod: str) -> None:
        """Deletes the pod; returns when there is another in its place, which is sealed."""
        before = self.pods()[pod].metadata.uid
        self.core.delete_namespaced_pod(pod, "vault")

        def another() -> bool:
            found = self.pods().get(pod)
            return found is not None and found.metadata.uid != before

        until(another, "another pod", _SECONDS)

    def unseal(self) -> None:
        """Unseals every server that is sealed, once it has joined."""
        assert self.keys is not None
        key = self.keys["unseal_keys_b64"][0]
        for pod in SERVERS:
            until(partial(self._is_initialised, pod), f"{pod} is initialised", _SECONDS)
            if self.status(pod)["sealed"]:
                self.vault(pod, f"vault operator unseal -tls-skip-verify {key}")
        until(self.are_ready, "three servers that are ready", _SECONDS)

    def _is_initialised(self, pod: str) -> bool:
        return bool(self.status(pod).get("initialized"))

    def are_ready(self) -> bool:
        return len(self.pods()) == len(SERVERS) and all(
            any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)
            for pod in self.pods().values()
        )


@pytest.fixture(scope="module")
def address(lab: Lab) -> str:
    """What the load balancer will be given, as whoever runs the network would say."""
    api = core(lab, "mgmt")
    service = {
        "metadata": {"name": "asking"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 8200}], "selector": {"app": "none"}},
    }
    api.create_namespaced_service("default", service)

    def given() -> Any:
        found = api.read_namespaced_service("asking", "default").status.load_balancer.ingress
        return found[0].ip if found else None

    ip: str = until(given, "an address")
    api.delete_namespaced_service("asking", "default")
    return ip


@pytest.fixture(scope="module")
def servers(lab: Lab) -> Servers:
    return Servers(lab)


@pytest.fixture(scope="module")
def folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Any command of the lab's has the engine and its plugins be there.
    command = [sys.executable, "-m", "lab", "--directory", str(lab.directory.root)]
    subprocess.run([*command, "pulumi", "--", "config"], cwd=CHECKOUT, check=True)
    return tmp_path_factory.mktemp("stacks")


@pytest.fixture(scope="module")
def vault_stack(lab: Lab, folder: Path) -> Iterator[Stack]:
    stack = Stack(lab, VAULT_STACK, folder)
    yield stack
    stack.remove()
    namespaces = {each.metadata.name for each in core(lab, "mgmt").list_namespace().items}
    if "vault" in namespaces:
        core(lab, "mgmt").delete_namespace("vault")


@pytest.fixture(scope="module")
def trust_stack(lab: Lab, folder: Path, vault_stack: Stack) -> Iterator[Stack]:
    # Its Vault goes after it.
    assert vault_stack.folder == folder
    stack = Stack(lab, TRUST_STACK, folder)
    yield stack
    stack.remove()


def configure_vault(stack: Stack, address: str, **further: Any) -> None:
    stack.configure(
        management={"context": "mgmt"},
        vaultInstall={
            "mode": "ha",
            "chart": "./lab/charts/vault",
            "serviceType": "LoadBalancer",
            "names": [address],
            "dataStorage": {"size": "1Gi"},
            "auditStorage": {"size": "1Gi"},
            # The lab's cluster has one node.
            "values": {"server": {"affinity": ""}},
            **further,
        },
    )


def configure_trust(stack: Stack, **further: Any) -> None:
    names = ("east", "west")
    stack.configure(
        vaultStack=VAULT_STACK,
        clusters=[{"name": name, "context": name} for name in names],
        **further,
    )


def volumes(lab: Lab) -> set[str]:
    claims = core(lab, "mgmt").list_namespaced_persistent_volume_claim("vault").items
    assert all(each.status.phase == "Bound" for each in claims)
    return {each.metadata.name for each in claims}


def presented(address: str) -> str:
    return ssl.get_server_certificate((address, 8200))


ALL_VOLUMES = {f"{what}-{pod}" for what in ("data", "audit") for pod in SERVERS}


def test_three_servers_come_up_and_what_people_have_to_do_is_told(
    lab: Lab, vault_stack: Stack, servers: Servers, address: str
) -> None:
    configure_vault(vault_stack, address)
    output = vault_stack.up()

    assert "is not initialised: run `mesh-trust --stack own-vault vault init" in output
    assert set(servers.pods()) == set(SERVERS)
    assert not any(servers.status(pod)["initialized"] for pod in SERVERS)
    assert volumes(lab) == ALL_VOLUMES
    outputs = vault_stack.outputs()
    assert outputs["vaultAddress"] == f"https://{address}:8200"
    assert outputs["vaultCaCertificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert outputs["vaultAuditFile"] == AUDIT_FILE
    budgets: Any = client.PolicyV1Api(api_client(lab, "mgmt"))
    budget = budgets.read_namespaced_pod_disruption_budget("vault", "vault")
    assert budget.spec.max_unavailable == 1
    vault_stack.run("preview", "--expect-no-changes")


def test_the_trust_waits_for_them_and_says_what_to_do(
    vault_stack: Stack, trust_stack: Stack
) -> None:
    assert vault_stack.outputs()["vaultAddress"]
    trust_stack.token = "none-yet"
    configure_trust(trust_stack)
    done = trust_stack.attempt("up", "--yes", "--skip-preview")

    assert done.returncode != 0
    assert "Vault is not ready after" in done.stdout
    assert "mesh-trust vault status" in done.stdout
    assert "Traceback" not in done.stdout


def test_once_initialised_nothing_is_to_be_done_and_the_trust_can_be_set_up(
    lab: Lab, vault_stack: Stack, trust_stack: Stack, servers: Servers, tmp_path: Path
) -> None:
    token = servers.initialise(vault_stack, tmp_path)
    until(servers.are_ready, "three servers that are ready", _SECONDS)
    assert "leader" in vault_stack.mesh_trust("vault", "status")
    assert "warning" not in vault_stack.up("--expect-no-changes")
    outputs = vault_stack.outputs()
    ca = tmp_path / "ca.pem"
    ca.write_text(outputs["vaultCaCertificate"])
    assert servers.keys is not None
    vault: Any = hvac.Client(
        outputs["vaultAddress"], token=servers.keys["root_token"], verify=str(ca)
    )
    trust_stack.token = token

    trust_stack.up()

    assert handshake(lab, "east")
    assert handshake(lab, "west")
    device = vault.sys.list_enabled_audit_devices()["data"]["mesh-trust/"]
    assert (device["type"], device["options"]) == ("file", {"file_path": AUDIT_FILE})
    leader = next(pod for pod in SERVERS if servers.status(pod)["is_self"])
    log = servers.vault(leader, f"grep -c sign-intermediate {AUDIT_FILE}")
    assert int(log) >= 2
    trust_stack.run("preview", "--expect-no-changes")


def test_a_server_that_was_lost_is_told_to_be_sealed_and_the_trust_goes_on(
    lab: Lab, vault_stack: Stack, servers: Servers
) -> None:
    servers.lose("vault-1")
    output = vault_stack.up()
    assert (
        "Vault in pod vault/vault-1 is sealed: run `mesh-trust --stack own-vault vault unseal"
        in (output)
    )
    assert handshake(lab, "east")
    servers.unseal()


def test_updates_go_on_while_one_server_after_the_other_is_lost(
    lab: Lab, trust_stack: Stack, servers: Servers
) -> None:
    """The leader among them. An update that meets the moment without one may fail, in a line."""

    def lose_all() -> None:
        for pod in SERVERS:
            servers.lose(pod)
            servers.unseal()

    made, failed = 0, 0
    with ThreadPoolExecutor() as executor:
        losing = executor.submit(lose_all)
        while not losing.done():
            made += 1
            configure_trust(trust_stack, tokenTtlSeconds=3600 + made)
            done = trust_stack.attempt("up", "--yes", "--skip-preview")
            assert "Traceback" not in done.stdout
            failed += done.returncode != 0
        losing.result()
    print(f"{made} updates while all servers were replaced, {failed} of them failed")

    trust_stack.up()
    assert made > failed
    assert handshake(lab, "east")
    trust_stack.run("preview", "--expect-no-changes")


def test_a_renewed_certificate_is_taken_up_without_a_new_pod(
    lab: Lab, vault_stack: Stack, servers: Servers, address: str
) -> None:
    before, pods = presented(address), servers.pods()
    configure_vault(vault_stack, address, certificateLifetimeDays=200)
    vault_stack.up()

    until(lambda: presented(address) != before, "the new certificate", _SECONDS)
    assert handshake(lab, "east")
    now = servers.pods()
    assert {name: each.metadata.uid for name, each in now.items()} == {
        name: each.metadata.uid for name, each in pods.items()
    }
    assert servers.are_ready()


def test_volumes_stay_and_are_there_for_the_next_installation(
    lab: Lab, vault_stack: Stack, trust_stack: Stack, servers: Servers, address: str
) -> None:
    vault_stack.destroy()

    until(lambda: not servers.pods(), "the end of all pods", _SECONDS)
    assert volumes(lab) == ALL_VOLUMES
    configure_vault(vault_stack, address, createNamespace=False)
    output = vault_stack.up()
    assert "is sealed: run `mesh-trust --stack own-vault vault unseal" in output
    servers.unseal()
    # Vault has what it had; what clients check its certificate with is new.
    trust_stack.up()
    assert handshake(lab, "west")
    trust_stack.destroy()
