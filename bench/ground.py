"""What is measured on: workload clusters without nodes, and a Vault in a pod of one with a node.

Two labs, as one lab has nodes for all of its clusters or for none. Vault is of mode dev, as in the
guide, and is there before anything is measured: all ways use the same one.
"""

import json
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
from kubernetes import client, config
from rich.console import Console

from lab.api_server_audit import api_server_audit
from lab.directory import CHECKOUT
from lab.lab import UNWANTED, Lab
from lab.toolchain import NodeSoftware, Toolchain
from lab.workload_clusters import MANAGEMENT_CLUSTER

NAMESPACE = "vault"
POD = "vault-0"

_AUDIT_FILE = "/tmp/audit.log"  # noqa: S108 - in Vault's own pod
_AT_A_TIME = 5
_READY_SECONDS = 180


@dataclass(frozen=True)
class VaultInPod:
    """Where it answers from outside the cluster, and its root token."""

    address: str
    token: str

    def client(self) -> Any:
        """Return a client, most of whose methods have no types."""
        return hvac.Client(url=self.address, token=self.token)


class Ground:
    """Both labs, started; more workload clusters are added by `have`."""

    def __init__(self, folder: Path, tools: Toolchain, software: NodeSoftware) -> None:
        self.folder = folder
        self.tools = tools
        self._management = Lab(folder / "management", tools, software)
        self._workload = Lab(folder / "workload", tools)
        self._vault: VaultInPod | None = None

    @property
    def workload(self) -> Lab:
        """The lab with the workload clusters, the engine and its state."""
        return self._workload

    @property
    def labs(self) -> tuple[Lab, Lab]:
        """Both labs, whose processes are the servers."""
        return self._management, self._workload

    @property
    def vault(self) -> VaultInPod:
        """The Vault in the pod."""
        assert self._vault is not None, "not started"
        return self._vault

    def start(self, console: Console) -> None:
        """Start the management cluster with its node, and Vault in a pod on it."""
        self._management.up(console, [], audited=True)
        self._vault = self._install_vault()
        self._vault.client().sys.enable_audit_device("file", options={"file_path": _AUDIT_FILE})

    def have(self, console: Console, clusters: Sequence[str]) -> None:
        """Start those of the workload clusters that do not run yet."""
        # A server has a minute and a half to start, which all at once would not keep.
        for number in range(_AT_A_TIME, len(clusters) + _AT_A_TIME, _AT_A_TIME):
            self._workload.up(console, clusters[:number], audited=True)

    def clean(self) -> None:
        """Stop and delete everything."""
        self._workload.clean()
        self._management.clean()

    def shell(self) -> dict[str, str]:
        """Return the variables that every way is started with."""
        inherited = {"PATH": self._workload.environment()["PATH"], "HOME": str(self.folder)}
        lab = {key: it for key, it in self._workload.environment().items() if key not in UNWANTED}
        return {
            **inherited,
            **lab,
            "VAULT_ADDR": self.vault.address,
            "VAULT_TOKEN": self.vault.token,
        }

    @property
    def management_kubeconfig(self) -> Path:
        """With the context of the management cluster, `mgmt`."""
        return self._management.directory.kubeconfig

    def kubernetes_client(self, cluster: str) -> Any:
        """Return an administrator's client of a workload cluster."""
        return config.new_client_from_config(str(self._workload.directory.kubeconfig), cluster)

    def vault_calls(self) -> int:
        """Count the requests in Vault's audit log so far."""
        counted = self._kubectl(
            *("exec", "--namespace", NAMESPACE, POD, "--"),
            *("grep", "-c", '"type":"response"', _AUDIT_FILE),
        )
        return int(counted)

    def kubernetes_calls(self, clusters: Sequence[str]) -> int:
        """Count the administrators' requests in the API servers' audit logs so far."""
        management, workload = (each.directory for each in self.labs)
        logs = [api_server_audit(management, MANAGEMENT_CLUSTER).log]
        logs += [api_server_audit(workload, each).log for each in clusters]
        return sum(_lines(each) for each in logs)

    def _install_vault(self) -> VaultInPod:
        token = secrets.token_hex(16)
        values = {
            "injector": {"enabled": False},
            "server": {
                "dev": {"enabled": True, "devRootToken": token},
                "service": {"type": "LoadBalancer"},
            },
        }
        # A file, as every process could read an argument.
        path = self.folder / "vault-values.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(values))
        chart = CHECKOUT / "lab" / "charts" / "vault"
        subprocess.run(
            [
                *(self.tools["helm"].path, "install", "vault", chart, "--values", path),
                *("--namespace", NAMESPACE, "--create-namespace", "--wait", "--timeout", "3m"),
                *("--kubeconfig", self.management_kubeconfig),
                *("--kube-context", MANAGEMENT_CLUSTER),
            ],
            env={"HOME": str(self.folder)},
            capture_output=True,
            check=True,
        )
        return VaultInPod(f"http://{self._service_address()}:8200", token)

    def _service_address(self) -> str:
        management = config.new_client_from_config(
            str(self.management_kubeconfig), MANAGEMENT_CLUSTER
        )
        core: Any = client.CoreV1Api(management)
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            ingress = core.read_namespaced_service("vault", NAMESPACE).status.load_balancer.ingress
            if ingress:
                return str(ingress[0].ip)
            if time.monotonic() > deadline:
                raise TimeoutError(f"Vault's Service has no address after {_READY_SECONDS} s")
            time.sleep(0.2)

    def _kubectl(self, *arguments: str) -> str:
        done = subprocess.run(
            [
                *(self.tools["kubectl"].path, "--kubeconfig", self.management_kubeconfig),
                *("--context", MANAGEMENT_CLUSTER, *arguments),
            ],
            env={"HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


def _lines(path: Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(1 for _ in file)


@contextmanager
def started(
    console: Console, folder: Path, tools: Toolchain, software: NodeSoftware
) -> Iterator[Ground]:
    """Give a ground for as long as the context lasts; what it started is ended then."""
    ground = Ground(folder, tools, software)
    try:
        ground.start(console)
        yield ground
    finally:
        ground.clean()


def names(count: int) -> list[str]:
    """Return the names of so many workload clusters."""
    return [f"c{number:02}" for number in range(1, count + 1)]
