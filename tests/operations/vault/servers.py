"""Real Vaults on loopback that nobody has initialised yet."""

import json
import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import hvac

from lab.credentials import authority_files, server_files
from lab.ports import is_free

_START_SECONDS = 60
_HOST = "127.0.0.1"
_QUICK = {"performance_multiplier": "1"}
_PORTS = range(10_000, 21_000)


@dataclass
class VaultServer:
    """One server, which can be ended and started again."""

    executable: Path
    folder: Path
    ca_file: Path
    configuration: Mapping[str, Any]
    address: str
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def client(self, token: str = "") -> Any:
        return hvac.Client(url=self.address, token=token, verify=str(self.ca_file))

    def start(self) -> None:
        file = self.folder / "vault.json"
        file.write_text(json.dumps(self.configuration))
        with (self.folder / "vault.log").open("a") as log:
            self._process = subprocess.Popen(
                [self.executable, "server", f"-config={file}"],
                env={"HOME": str(self.folder)},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            client = self.client()
            try:
                client.sys.read_seal_status()
                return
            except OSError:
                assert self._process.poll() is None, (self.folder / "vault.log").read_text()
                assert time.monotonic() < deadline, "Vault does not answer"
                time.sleep(0.05)
            finally:
                client.adapter.close()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        return (self.folder / "vault.log").read_text()


@contextmanager
def running_servers(
    executable: Path,
    folder: Path,
    *,
    raft: int = 0,
    seal: Mapping[str, Any] | None = None,
    joins: bool = False,
) -> Iterator[list[VaultServer]]:
    """As many servers with integrated storage, or by default a single one that keeps nothing.

    With `joins` each looks by itself for another one to join.
    """
    authority = authority_files(folder, "vault")
    pods = "*.vault-internal" if raft else "vault-0.vault-internal"
    identity = server_files(folder, "server", authority, [_HOST, pods])
    servers = []
    for number in range(raft or 1):
        own = folder / f"vault-{number}"
        (own / "data").mkdir(parents=True)
        port, cluster_port = _free_ports(2)
        address = f"https://{_HOST}:{port}"
        configuration: dict[str, Any] = {
            "storage": {"inmem": {}}
            if not raft
            # A new leader within seconds and not half a minute.
            else {"raft": {"path": str(own / "data"), "node_id": own.name, **_QUICK}},
            "listener": {
                "tcp": {
                    "address": f"{_HOST}:{port}",
                    "cluster_address": f"{_HOST}:{cluster_port}",
                    "tls_cert_file": str(identity.certificate),
                    "tls_key_file": str(identity.private_key),
                }
            },
            "api_addr": address,
            "cluster_addr": f"https://{_HOST}:{cluster_port}",
            "disable_mlock": True,
            **({"seal": seal} if seal else {}),
        }
        servers.append(VaultServer(executable, own, authority.certificate, configuration, address))
    if joins:
        certificate = str(authority.certificate)
        for server in servers:
            server.configuration["storage"]["raft"]["retry_join"] = [
                {"leader_api_addr": each.address, "leader_ca_cert_file": certificate}
                for each in servers
            ]
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.stop()


def _free_ports(count: int) -> list[int]:
    """Ports below those of outgoing connections and of the lab.

    The one for the cluster is listened at after the server was initialised, when another process
    would have been given it.
    """
    candidates = random.sample(_PORTS, len(_PORTS))
    return list(islice(filter(is_free, candidates), count))
