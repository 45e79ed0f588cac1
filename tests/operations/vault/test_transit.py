"""A Vault that another Vault unseals: nobody gives keys, whatever happens to its servers."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hvac.exceptions import VaultError

from lab.toolchain import Toolchain
from mesh_trust.operations.vault.members import Member
from mesh_trust.operations.vault.unsealing import await_unsealed, unseal_and_join
from tests.nodes.pods import until
from tests.private_vault import running_vault

from .commands import VaultCommand
from .conftest import NewVault
from .test_backup import lose_all, save
from .test_init import SMALL, assert_whole, is_sealed

_HANDS = 8


@pytest.fixture
def seal(toolchain: Toolchain, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What unseals it."""
    folder = tmp_path / "other"
    folder.mkdir()
    with running_vault(toolchain["vault"].path, folder, "http") as other:
        other.client.sys.enable_secrets_engine("transit")
        other.client.secrets.transit.create_key("unseal")
        yield {
            "transit": {
                "address": other.address,
                "token": other.token,
                "key_name": "unseal",
                "mount_path": "transit",
            }
        }


def test_nobody_gives_keys(
    new_vault: NewVault, command: VaultCommand, seal: dict[str, Any]
) -> None:
    vault = new_vault(raft=2, seal=seal)

    command.done(*vault.init(*SMALL))

    document = command.learn(vault.keys_file)
    assert document["purpose"] == "recovery"
    assert len(document["keys"]) == 3
    assert_whole(vault, document["root_token"])
    assert "Nothing was to be done." in command.done(*vault.init(*SMALL))
    assert "Nothing was to be done" in command.done("unseal", *vault.options)
    for server in vault.servers:
        server.stop()
    for server in vault.servers:
        server.start()
    until(lambda: not any(is_sealed(vault)), "unsealed by themselves")
    assert "Nothing was to be done" in command.done("unseal", *vault.options)
    until(lambda: command.run("status", *vault.options).exit_code == 0, "one of them leads")
    assert_whole(vault, document["root_token"])


def test_several_have_a_server_join_at_once(new_vault: NewVault, seal: dict[str, Any]) -> None:
    vault = new_vault(raft=2, seal=seal)
    first, second = [Member(each.address, each.ca_file) for each in vault.servers]
    first.client().sys.initialize(0, 0, recovery_shares=1, recovery_threshold=1)
    await_unsealed(first)
    together = threading.Barrier(_HANDS)
    refusals: list[str] = []
    authority = Path(vault.servers[0].ca_file).read_text()

    def join_by_hand() -> None:
        together.wait()
        try:
            second.client().sys.join_raft_cluster(first.address, leader_ca_cert=authority)
        except VaultError as error:
            refusals.extend(error.errors or ())

    def join() -> None:
        together.wait()
        unseal_and_join([first, second], None, lambda _: None)

    with ThreadPoolExecutor(_HANDS) as hands:
        done = [hands.submit(join if number % 2 else join_by_hand) for number in range(_HANDS)]
    for each in done:
        each.result()
    # Vault refuses all but one, in words that differ.
    assert refusals
    assert not any(is_sealed(vault))


@pytest.mark.parametrize(
    "joins",
    [
        pytest.param(False, id="told to join"),
        pytest.param(True, id="joining by themselves", marks=pytest.mark.soak),
    ],
)
def test_what_is_lost_is_restored_without_keys(
    new_vault: NewVault, command: VaultCommand, seal: dict[str, Any], joins: bool
) -> None:
    vault = new_vault(raft=2, seal=seal, joins=joins)
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    document = command.learn(vault.keys_file)
    file = save(vault, command, document["root_token"])
    lose_all(vault)

    told = command.run("restore", *vault.options, "--snapshot-file", str(file), "--yes")

    assert told.exit_code == 1
    first = vault.servers[0]
    assert f"restart {vault.wire.addresses[0]}, which unseals itself then" in told.output
    first.stop()
    first.start()
    until(lambda: not first.client().sys.is_sealed(), "unsealed by itself")
    if not joins:
        command.done("unseal", *vault.options)
    until(lambda: not any(is_sealed(vault)), "the other one as well")
    until(lambda: vault.takes(document["root_token"]), "the tokens of before")
