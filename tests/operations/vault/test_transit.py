"""A Vault that another Vault unseals: nobody gives keys, whatever happens to its servers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.toolchain import Toolchain
from tests.nodes.pods import until
from tests.private_vault import running_vault

from .commands import VaultCommand
from .conftest import NewVault
from .test_backup import lose_all, save
from .test_init import SMALL, assert_whole, is_sealed


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
