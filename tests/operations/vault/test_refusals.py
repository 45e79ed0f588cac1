"""What is not valid is one line, and Vault is asked for nothing."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from pyrage import x25519
from pysequoia import Tsk

from lab.directory import CHECKOUT

from .commands import VaultCommand
from .conftest import NewVault
from .test_init import SMALL, assert_whole, is_sealed

FILES = ["--keys-file", "keys", "--token-file", "token"]
IDENTITY = str(x25519.Identity.generate())
NOWHERE = ["--address", "https://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shares", "2", "--threshold", "3"], "threshold: 3 is not valid"),
        (["--threshold", "1"], "threshold: 1 is not valid"),
        (["--age-recipient", "age1none"], "age-recipient: 'age1none' is not valid"),
        (["--age-recipient", IDENTITY], "age-recipient: what is given is a private key"),
        (["--age-recipient", IDENTITY.lower()], "age-recipient: what is given is a private key"),
        (["--pgp-key", "text"], "pgp-key: 'text' is not valid; name a public key"),
        (["--pgp-key", "private"], "pgp-key: 'private' is not valid; it holds a private key"),
        (["--pgp-key", "public", "--shares", "2"], "pgp-key: 1 of them are not valid"),
        (["--root-token-pgp-key", "public"], "is not valid without --pgp-key"),
        (["--pgp-key", "public", "--age-recipient", "age1x"], "is not valid with --pgp-key"),
        (["--token-period", "soon"], "token-period: 'soon' is not valid"),
        (["--token-ttl", "1"], "token-ttl: '1' is not valid"),
        (["--only-policy-files"], "only-policy-files: is not valid without --policy-file"),
        (["--token-ttl", "1h", "--token-period", "1h"], "give one of the two"),
        (["--name", "a*"], "name: 'a*' is not valid"),
        (["--token-file", "keys"], "token-file: 'keys' is not valid"),
        (["--address", "http://vault.example.com:8200"], "use https"),
        ([], "Vault does not answer at https://127.0.0.1:1"),
    ],
)
def test_what_is_not_valid(
    command: VaultCommand, tmp_path: Path, options: list[str], message: str
) -> None:
    key = Tsk.generate("alice@example.com")
    (tmp_path / "text").write_text("text")
    (tmp_path / "public").write_text(str(key.extract_certificate()))
    (tmp_path / "private").write_text(str(key))
    before = set(tmp_path.iterdir())

    told = command.run("init", *NOWHERE, *FILES, *options, folder=tmp_path)

    assert told.exit_code == 2
    assert message in told.errors
    assert told.errors.startswith("Error: ")
    assert told.errors.count("\n") == 1
    assert IDENTITY.lower() not in told.printed.lower()
    assert set(tmp_path.iterdir()) == before


def test_an_address_is_shown_as_it_is(command: VaultCommand) -> None:
    told = command.run("status", "--address", "https://[::1]:1")

    assert any(line.startswith("https://[::1]:1 ") for line in told.output.splitlines())


def test_a_full_disk_is_noticed_first(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    told = command.run(*vault.init(*SMALL), largest_file=10_000)
    assert told.exit_code == 2
    assert "cannot be written (File too large)" in told.errors
    assert vault.wire.steps == []
    command.done(*vault.init(*SMALL))


def test_files_that_are_there(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    vault.keys_file.write_text("mine")
    vault.keys_file.chmod(0o600)
    told = command.run(*vault.init(*SMALL))
    assert told.exit_code == 2
    assert "holds keys already" in told.errors
    assert vault.wire.steps == []
    vault.keys_file.unlink()
    vault.token_file.write_text("hvs.another")
    vault.token_file.chmod(0o600)

    told = command.run(*vault.init(*SMALL))

    assert told.exit_code == 2
    assert "does not know the token in" in told.errors
    assert vault.token_file.read_text() == "hvs.another"
    vault.token_file.unlink()
    command.done(*vault.init(*SMALL))
    document = command.learn(vault.keys_file)
    assert_whole(vault, document["root_token"])
    vault.token_file.unlink()
    gone = command.run(*vault.init(*SMALL))
    assert gone.exit_code == 2
    assert "generate-root" in gone.errors


def test_servers_of_two_vaults(new_vault: NewVault, command: VaultCommand) -> None:
    vault, other = new_vault(), new_vault()
    command.done(*vault.init(*SMALL))
    command.done(*other.init(*SMALL))
    vault.wire.addresses += other.wire.addresses
    vault.servers[0].ca_file.write_text(
        vault.servers[0].ca_file.read_text() + other.servers[0].ca_file.read_text()
    )
    told = command.run(*vault.init(*SMALL))
    assert told.exit_code == 2
    assert "not of one Vault" in told.errors
    assert command.run("status", *vault.options).exit_code == 1


def test_keys_of_another_vault(new_vault: NewVault, command: VaultCommand) -> None:
    vault, other = new_vault(), new_vault()
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    command.done(*other.init(*SMALL))
    document, wrong = command.learn(vault.keys_file), command.learn(other.keys_file)
    vault.client(document["root_token"]).sys.seal()
    kept = command.run("unseal", *vault.options, "--keys-file", str(other.keys_file))
    given = command.run("unseal", *vault.options, given="\n".join(wrong["keys"]))
    nonsense = command.run("unseal", *vault.options, given="nonsense\n")
    assert [each.exit_code for each in (kept, given, nonsense)] == [2] * 3
    assert is_sealed(vault) == [True]
    assert "nonsense" not in nonsense.printed
    command.done("unseal", *vault.options, "--keys-file", str(vault.keys_file))


def test_keys_that_are_typed_are_not_shown(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    document = command.learn(vault.keys_file)
    vault.client(document["root_token"]).sys.seal()
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mesh_trust.operations", "vault", "unseal", *vault.options],
        cwd=CHECKOUT,
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    ) as process:
        os.close(end)
        shown = ""
        for key in document["keys"][:2]:
            shown += shown_until(terminal, "(Enter to stop): ")
            os.write(terminal, key.encode() + b"\n")
        shown += shown_until(terminal, None)
        os.close(terminal)
    assert process.returncode == 0, shown
    assert is_sealed(vault) == [False]
    assert not any(key in shown for key in document["keys"])


def shown_until(terminal: int, text: str | None) -> str:
    """What a terminal shows up to `text`, or to its end."""
    shown = ""
    while text is None or text not in shown:
        ready, _, _ = select.select([terminal], [], [], 120)
        assert ready, shown
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError:
            # Nobody has the other end any more.
            assert text is None, shown
            break
    return shown
