"""A Vault for production that the program installs in the lab, and a stack of the trust in it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from lab.directory import CHECKOUT
from lab.lab import Lab

from .pods import core, execute, until

SECONDS = 240.0


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

    def configure_secret(self, key: str, value: str) -> None:
        """Sets one more value, encrypted; `key` may be a path."""
        where = ("--config-file", str(self._file), "--stack", self.name)
        named = ("--secret", "--path", f"mesh-trust:{key}")
        self._engine("config", "set", *where, *named, given=value)

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

    def mesh_trust(self, *arguments: str, token: str | None = None) -> str:
        """Runs `mesh-trust` for this stack, which has to succeed; gives what it printed."""
        path = os.pathsep.join([str(self.lab.directory.engine), os.environ["PATH"]])
        command = [sys.executable, "-m", "mesh_trust.operations", "--stack", self.name]
        done = subprocess.run(
            [*command, "--config-file", str(self._file), *arguments],
            cwd=CHECKOUT,
            env={**self.lab.environment(), "PATH": path, **_vault_token(token)},
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

    def change_state(self, change: Callable[[list[dict[str, Any]]], None]) -> None:
        """Changes what the engine remembers of the resources."""
        printed = self._engine("stack", "export", "--stack", self.name, mixed=False)
        document = json.loads(printed.stdout)
        change(document["deployment"]["resources"])
        self._engine("stack", "import", "--stack", self.name, given=json.dumps(document))

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
        self,
        *arguments: str,
        folder: Path = CHECKOUT,
        check: bool = True,
        mixed: bool = True,
        given: str | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.lab.directory.engine / "pulumi", *arguments, "--non-interactive"],
            cwd=folder,
            env={**self.lab.environment(), **_vault_token(self.token)},
            input=given or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if mixed else None,
            text=True,
            check=check,
        )


@dataclass
class Servers:
    """The servers as they are seen from outside, and the keys that `init` gave."""

    lab: Lab
    namespace: str = "vault"
    replicas: int = 3
    keys: Mapping[str, Any] | None = None

    @property
    def core(self) -> Any:
        return core(self.lab, "mgmt")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"vault-{number}" for number in range(self.replicas))

    def pods(self) -> dict[str, Any]:
        return {
            each.metadata.name: each
            for each in self.core.list_namespaced_pod(self.namespace).items
            if each.metadata.deletion_timestamp is None
        }

    def vault(self, pod: str, command: str) -> str:
        """What Vault's own command says in a pod."""
        return execute(self.lab, "mgmt", pod, "vault", f"{command} 2>&1 || true", self.namespace)

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

    def lose(self, *pods: str) -> None:
        """Deletes the pods; returns when there are others in their places."""
        before = {pod: self.pods()[pod].metadata.uid for pod in pods}
        for pod in pods:
            self.core.delete_namespaced_pod(pod, self.namespace)

        def others() -> bool:
            found = self.pods()
            return all(
                pod in found and found[pod].metadata.uid != uid for pod, uid in before.items()
            )

        until(others, "other pods", SECONDS)

    def unseal(self) -> None:
        """Unseals every server that is sealed, once it has joined."""
        assert self.keys is not None
        key = self.keys["unseal_keys_b64"][0]
        for pod in self.names:
            until(partial(self._is_initialised, pod), f"{pod} is initialised", SECONDS)
            if self.status(pod)["sealed"]:
                self.vault(pod, f"vault operator unseal -tls-skip-verify {key}")
        until(self.are_ready, "servers that are ready", SECONDS)

    def leader(self) -> str:
        """The pod of the one that leads."""
        return next(pod for pod in self.names if self.status(pod).get("is_self"))

    def are_led(self) -> bool:
        """Whether Vault's address leads to one that leads: servers are ready before they vote."""
        found = self.core.read_namespaced_endpoints("vault-active", self.namespace).subsets or ()
        return any(part.addresses for part in found)

    def _is_initialised(self, pod: str) -> bool:
        return bool(self.status(pod).get("initialized"))

    def are_ready(self) -> bool:
        return len(self.pods()) == self.replicas and all(
            any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)
            for pod in self.pods().values()
        )


def _vault_token(token: str | None) -> dict[str, str]:
    return {} if token is None else {"VAULT_TOKEN": token}


def engine_is_there(lab: Lab) -> None:
    """Any command of the lab's has the engine and its plugins be there."""
    command = [sys.executable, "-m", "lab", "--directory", str(lab.directory.root)]
    subprocess.run([*command, "pulumi", "--", "config"], cwd=CHECKOUT, check=True)


def delete_namespaces(lab: Lab, *names: str) -> None:
    """Deletes those of `mgmt` that are there, volumes and all, and waits until they are gone."""
    api = core(lab, "mgmt")

    def left() -> set[str]:
        return {each.metadata.name for each in api.list_namespace().items} & set(names)

    for name in left():
        api.delete_namespace(name)
    until(lambda: not left(), f"{' and '.join(names)} gone", SECONDS)


def next_addresses(lab: Lab, number: int) -> list[str]:
    """What load balancers will be given, in this order, as whoever runs the network would say."""
    api = core(lab, "mgmt")
    found: list[str] = []
    names = [f"asking-{each}" for each in range(number)]
    for name in names:
        spec = {"type": "LoadBalancer", "ports": [{"port": 8200}], "selector": {"app": "none"}}
        api.create_namespaced_service("default", {"metadata": {"name": name}, "spec": spec})

        def given(name: str = name) -> Any:
            service = api.read_namespaced_service(name, "default")
            balancers = service.status.load_balancer.ingress
            return balancers[0].ip if balancers else None

        found.append(until(given, "an address"))
    for name in names:
        api.delete_namespaced_service(name, "default")
    return found


def install_values(mode: str, address: str, **further: Any) -> dict[str, Any]:
    """What `vaultInstall` says of one that is reached at `address`."""
    return {
        "mode": mode,
        "chart": "./lab/charts/vault",
        "serviceType": "LoadBalancer",
        "names": [address],
        "dataStorage": {"size": "1Gi"},
        "auditStorage": {"size": "1Gi"},
        # The lab's cluster has one node.
        "values": {"server": {"affinity": ""}},
        **further,
    }


def configure_trust(stack: Stack, vault_stack: Stack, *clusters: str, **further: Any) -> None:
    """Has the trust of `clusters` be in the Vault of `vault_stack`."""
    stack.configure(
        vaultStack=vault_stack.name,
        clusters=[{"name": name, "context": name} for name in clusters],
        **further,
    )
