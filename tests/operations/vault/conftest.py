"""Vaults of these tests' own, and the command for them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hvac.exceptions import VaultError

from lab.toolchain import Toolchain

from .commands import VaultCommand, vault_command
from .servers import VaultServer, running_servers
from .wire import Wire, wired


@dataclass(frozen=True)
class OneVault:
    """The servers of a Vault, the wire to them, and where the command keeps its secrets."""

    servers: list[VaultServer]
    wire: Wire
    folder: Path

    @property
    def keys_file(self) -> Path:
        return self.folder / "keys.json"

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    @property
    def options(self) -> list[str]:
        """Those that name the servers."""
        ca_file = ["--ca-file", str(self.servers[0].ca_file)]
        return [*ca_file, *(part for each in self.wire.addresses for part in ("--address", each))]

    def init(self, *further: str) -> list[str]:
        """Arguments of `init`."""
        files = ["--keys-file", str(self.keys_file), "--token-file", str(self.token_file)]
        return ["init", *self.options, *files, *further]

    def token(self) -> str:
        return self.token_file.read_text().strip()

    def client(self, token: str | None = None) -> Any:
        """A plain client of the server that leads, with the stack's token."""
        token = self.token() if token is None else token
        for server in self.servers:
            client = server.client(token)
            if len(self.servers) == 1 or client.sys.read_leader_status()["is_self"]:
                return client
        raise AssertionError("no server leads")

    def takes(self, token: str) -> bool:
        """Whether a server leads, and takes `token`."""
        for server in self.servers:
            try:
                if server.client().sys.read_leader_status().get("is_self"):
                    return bool(server.client(token).is_authenticated())
            except VaultError:
                # It is sealed, or about to be.
                continue
        return False


NewVault = Callable[..., OneVault]


@pytest.fixture
def new_vault(toolchain: Toolchain, tmp_path: Path) -> Iterator[NewVault]:
    """Starts one: `raft` as many servers, or one that keeps nothing; `seal` what unseals it, and
    `joins` whether its servers join each other by themselves."""
    with ExitStack() as stack:

        def start(
            raft: int = 0, seal: Mapping[str, Any] | None = None, joins: bool = False
        ) -> OneVault:
            folder = tmp_path / f"vault-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            executable = toolchain["vault"].path
            servers = stack.enter_context(
                running_servers(executable, folder, raft=raft, seal=seal, joins=joins)
            )
            return OneVault(servers, stack.enter_context(wired(servers)), folder)

        yield start


@pytest.fixture(scope="package")
def _loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultCommand]:
    with vault_command(tmp_path_factory.mktemp("command")) as command:
        yield command


@pytest.fixture
def command(_loaded: VaultCommand) -> VaultCommand:
    """The command, which has learnt no secrets yet, and knows no cluster."""
    _loaded.secrets, _loaded.kubeconfig = set(), None
    return _loaded
