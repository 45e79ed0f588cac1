"""Killed hard at each of its steps, and run again."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from tests.nodes.pods import until

from .commands import Told, VaultCommand
from .conftest import NewVault, OneVault
from .test_backup import lose_all, restoring, save
from .test_init import SMALL, assert_whole, is_sealed
from .wire import Step

INIT = "/v1/sys/init"
CREATE = "/v1/auth/token/create/mesh-trust-stack"
REVOKE = "/v1/auth/token/revoke-self"


def run_killed(
    command: VaultCommand, vault: OneVault, arguments: list[str], seen: set[tuple[Step, str]]
) -> Told:
    """A run that is killed at the first write, before or after Vault has done it, not in `seen`."""
    wire = vault.wire
    wire.new_run()
    started = threading.Event()

    def cut(moment: str) -> Callable[[Step], bool]:
        def kill(step: Step) -> bool:
            # The loss of the keys is a test of its own.
            if (step, moment) in seen or (step.path, moment) == (INIT, "after"):
                return False
            seen.add((step, moment))
            started.wait()
            os.kill(command.process, signal.SIGKILL)
            return True

        return kill

    wire.before, wire.after = cut("before"), cut("after")
    command.start(*arguments)
    started.set()
    return command.ended()


def killing(command: VaultCommand, path: str) -> Callable[[Step], bool]:
    """Kills the run at a write to `path`."""

    def kill(step: Step) -> bool:
        if step.path != path:
            return False
        os.kill(command.process, signal.SIGKILL)
        return True

    return kill


def test_init_is_killed_at_each_step(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault(raft=3)
    seen: set[tuple[Step, str]] = set()
    killed = 0

    while True:
        told = run_killed(command, vault, vault.init(*SMALL), seen)
        if told.exit_code == 0:
            break
        assert told.exit_code == -signal.SIGKILL, told.printed
        killed += 1

    document = command.learn(vault.keys_file)
    paths = {step.path for step, _ in seen}
    assert {
        INIT,
        "/v1/sys/unseal",
        "/v1/sys/storage/raft/join",
        CREATE,
        # The token whose making was not answered is not left behind.
        "/v1/auth/token/revoke-accessor",
        REVOKE,
    } <= paths
    assert killed == len(seen)
    assert_whole(vault, document["root_token"])
    assert "Nothing was to be done." in command.done(*vault.init(*SMALL))
    peers = [each.client().sys.read_leader_status()["leader_address"] for each in vault.servers]
    assert len(set(peers)) == 1


def test_no_token_is_left_behind(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    arguments = vault.init(*SMALL, "--keep-root-token")
    vault.wire.after = killing(command, CREATE)
    assert command.run(*arguments).exit_code == -signal.SIGKILL
    root = vault.client(command.learn(vault.keys_file)["root_token"])
    assert len(root.list("auth/token/accessors")["data"]["keys"]) == 2
    assert vault.token_file.read_text().startswith("reserved")

    vault.wire.new_run()
    command.done(*arguments)

    assert len(root.list("auth/token/accessors")["data"]["keys"]) == 2
    assert vault.client().is_authenticated()


def test_keys_that_nobody_has(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    vault.wire.after = killing(command, INIT)
    assert command.run(*vault.init(*SMALL)).exit_code == -signal.SIGKILL
    vault.wire.new_run()
    reserved = vault.keys_file.read_bytes()

    told = command.run(*vault.init(*SMALL))

    assert told.exit_code == 2
    assert "nobody has them. If nothing was put into it" in told.errors
    assert vault.keys_file.read_bytes() == reserved
    # As it says: with other storage it goes on.
    vault.servers[0].stop()
    vault.servers[0].start()
    command.done(*vault.init(*SMALL))
    assert_whole(vault, command.learn(vault.keys_file)["root_token"])


def test_an_answer_that_does_not_come(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    vault.wire.after = lambda step: step.path == INIT
    told = command.run(*vault.init(*SMALL))
    assert told.exit_code == 2
    assert "nobody has them" in told.errors
    vault.servers[0].stop()
    vault.servers[0].start()
    vault.wire.new_run()
    vault.wire.before = lambda step: step.path == INIT
    told = command.run(*vault.init(*SMALL))
    assert told.exit_code == 2
    assert "is not initialised: run this again" in told.errors
    vault.wire.new_run()
    # Somebody else has it initialised in between, and has its keys.
    made = vault.servers[0].client("").sys.initialize(1, 1)
    assert_not_lost(command.run(*vault.init(*SMALL)))
    vault.servers[0].client("").sys.submit_unseal_key(made["keys"][0])
    command.done(*vault.init(*SMALL), token=made["root_token"])


def test_keys_of_one_vault_are_not_lost_for_another(
    new_vault: NewVault, command: VaultCommand
) -> None:
    vault, other = new_vault(), new_vault()
    vault.wire.after = killing(command, INIT)
    assert command.run(*vault.init(*SMALL)).exit_code == -signal.SIGKILL
    other.servers[0].client("").sys.initialize(1, 1)
    assert vault.keys_file.read_text().startswith("reserved")
    other.keys_file.write_bytes(vault.keys_file.read_bytes())
    other.keys_file.chmod(0o600)

    assert_not_lost(command.run(*other.init(*SMALL)))
    vault.wire.new_run()
    assert "nobody has them" in command.run(*vault.init(*SMALL)).errors


def assert_not_lost(told: Told) -> None:
    assert told.exit_code == 2
    assert "is initialised and sealed" in told.errors
    assert "storage" not in told.errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_asks_it_to_end_waits_for_the_keys(
    new_vault: NewVault, command: VaultCommand, number: signal.Signals
) -> None:
    vault = new_vault()

    def ask_to_end(step: Step) -> bool:
        if step.path == INIT:
            os.kill(command.process, number)
        return False

    vault.wire.before = ask_to_end
    told = command.run(*vault.init(*SMALL))

    # An interrupt is answered by the command line library, with an exit code.
    assert told.exit_code in (-number, 1)
    document = command.learn(vault.keys_file)
    assert len(document["keys"]) == 3
    vault.wire.new_run()
    command.done(*vault.init(*SMALL))
    assert_whole(vault, document["root_token"])


@pytest.mark.parametrize("where", ["file", "environment"])
def test_rotation_is_killed_at_each_step(
    new_vault: NewVault, command: VaultCommand, where: str
) -> None:
    vault = new_vault()
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    root = vault.client(command.learn(vault.keys_file)["root_token"])
    first = vault.token()
    target = vault.token_file if where == "file" else vault.folder / "next"
    arguments = ["rotate-admin-token", *vault.options, "--token-file", str(target)]
    token = None if where == "file" else first
    for path in (CREATE, REVOKE):
        vault.wire.new_run()
        vault.wire.before = killing(command, path)
        assert command.run(*arguments, token=token).exit_code == -signal.SIGKILL
        assert vault.servers[0].client(first).is_authenticated()
        if where == "file":
            # Whoever reads it at any moment gets a token that works.
            assert vault.servers[0].client(vault.token()).is_authenticated()
    written = target.read_text().strip()
    vault.wire.new_run()
    if where == "file":
        vault.wire.after = killing(command, REVOKE)
        assert command.run(*arguments, token=token).exit_code == -signal.SIGKILL
        vault.wire.new_run()
    done = command.run(*arguments, token=token)

    assert written == target.read_text().strip()
    assert done.exit_code == 0, done.printed
    second = target.read_text().strip()
    assert second != first
    assert not vault.servers[0].client(first).is_authenticated()
    assert vault.servers[0].client(second).is_authenticated()
    facts = root.auth.token.lookup(second)["data"]
    assert facts["orphan"] is True
    assert facts["meta"]["period"] == "768h"
    assert [*vault.folder.glob("*.new"), *vault.folder.glob("*.old")] == []


@pytest.mark.soak
def test_restore_is_killed_at_each_step(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault(raft=2)
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    token = command.learn(vault.keys_file)["root_token"]
    file = save(vault, command, token)
    lose_all(vault)
    restore = restoring(vault, file)
    unseal = ["unseal", *vault.options, "--keys-file", str(vault.keys_file)]
    seen: set[tuple[Step, str]] = set()

    def is_whole() -> bool:
        told = run_killed(command, vault, restore, seen)
        if told.exit_code == 2 and "unseal all servers first" in told.errors:
            # It is restored: what is left is to unseal its servers, as it says.
            return run_killed(command, vault, unseal, seen).exit_code == 0
        return told.exit_code == 0

    until(is_whole, "restored", 180)

    assert {
        INIT,
        "/v1/sys/storage/raft/snapshot-force",
        "/v1/sys/storage/raft/join",
        "/v1/sys/unseal",
    } <= {step.path for step, _ in seen}
    until(lambda: vault.takes(token), "the tokens of before")
    assert is_sealed(vault) == [False, False]
    assert [*vault.folder.glob("*passing*")] == []
    assert "Nothing was to be done" in command.done(*unseal)
