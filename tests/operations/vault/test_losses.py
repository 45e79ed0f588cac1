"""Servers are lost, one after the other and the one that leads, while agents go on asking."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from cryptography import x509
from hvac.exceptions import VaultError

from tests.nodes.pods import until

from .commands import VaultCommand
from .conftest import NewVault, OneVault
from .servers import VaultServer
from .test_backup import exchange, set_trust_up
from .test_init import SMALL, is_sealed


@dataclass
class Agents:
    """What came of the exchanges, each of which tries all servers as a Service's clients do."""

    vault: OneVault
    token: str
    issuers: set[x509.Certificate] = field(default_factory=set)
    done: int = 0
    longest_seconds: float = 0.0
    """Between two that came about."""

    def ask(self, end: threading.Event) -> None:
        last = time.monotonic()
        while not end.is_set():
            for server in self.vault.servers:
                if self._exchanged(server):
                    now = time.monotonic()
                    self.longest_seconds = max(self.longest_seconds, now - last)
                    self.done, last = self.done + 1, now
                    break
            end.wait(0.05)

    def _exchanged(self, server: VaultServer) -> bool:
        client = server.client(self.token)
        try:
            intermediate, issuer = exchange(client)
        except (OSError, VaultError):
            return False
        finally:
            client.adapter.close()
        intermediate.verify_directly_issued_by(issuer)
        self.issuers.add(issuer)
        return True

    def go_on(self) -> None:
        """Waits until some exchanges more have come about."""
        before = self.done
        until(lambda: self.done > before + 3, "exchanges", 120)


@contextmanager
def asking(vault: OneVault, token: str) -> Iterator[Agents]:
    agents, end = Agents(vault, token), threading.Event()
    thread = threading.Thread(target=agents.ask, args=(end,))
    thread.start()
    try:
        yield agents
    finally:
        end.set()
        thread.join()


@pytest.mark.soak
def test_servers_are_lost_while_agents_ask(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault(raft=3)
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    root_token = command.learn(vault.keys_file)["root_token"]
    root = vault.client(root_token)
    anchor = x509.load_pem_x509_certificate(set_trust_up(root))
    agent = root.auth.token.create_orphan(policies=["east"])["auth"]["client_token"]
    peers = root.sys.read_raft_config
    until(
        lambda: all(each["voter"] for each in peers()["data"]["config"]["servers"]),
        "all of them vote",
        120,
    )
    unseal = ["unseal", *vault.options, "--keys-file", str(vault.keys_file)]
    with asking(vault, agent) as agents:
        agents.go_on()
        # Twice through: each of them leads at some time.
        for server in [*vault.servers, *vault.servers]:
            server.stop()
            agents.go_on()
            server.start()
            command.done(*unseal)
            agents.go_on()
        for _ in range(2):
            [leader] = [
                each
                for each in vault.servers
                if each.client().sys.read_leader_status().get("is_self")
            ]
            leader.stop()
            agents.go_on()
            leader.start()
            command.done(*unseal)
            agents.go_on()
        print(f"{agents.done} exchanges; at most {agents.longest_seconds:.1f} s between two")
        # The control: without most of them there is nobody to ask.
        for server in vault.servers[:2]:
            server.stop()
        time.sleep(20)
        before = agents.done
        time.sleep(5)
        assert agents.done == before
        for server in vault.servers[:2]:
            server.start()
        command.done(*unseal)
        agents.go_on()
    assert agents.issuers == {anchor}
    assert not any(is_sealed(vault))
    assert command.run("status", *vault.options).exit_code == 0
