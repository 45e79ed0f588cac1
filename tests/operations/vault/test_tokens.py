"""The stack's token is renewed by one of the same kind, and what is not one is refused."""

import signal
import stat

from .commands import VaultCommand
from .conftest import NewVault
from .test_init import SMALL
from .test_killed import REVOKE, killing


def test_a_token_is_renewed(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    command.done(*vault.init(*SMALL, "--token-ttl", "48h", "--keep-root-token"))
    root_token = command.learn(vault.keys_file)["root_token"]
    server = vault.servers[0]
    tokens = [vault.token()]
    rotate = ["rotate-admin-token", *vault.options, "--token-file"]
    for _ in range(2):
        command.done(*rotate, str(vault.token_file))
        tokens.append(vault.token())
    elsewhere = vault.folder / "elsewhere"
    command.done(*rotate, str(elsewhere), token=tokens[-1])
    tokens.append(elsewhere.read_text().strip())

    command.secrets.update(tokens)
    assert len(set(tokens)) == 4
    assert [server.client(each).is_authenticated() for each in tokens] == [False] * 3 + [True]
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    facts = server.client(root_token).auth.token.lookup(tokens[-1])["data"]
    assert facts["creation_ttl"] == 48 * 3600
    assert facts["renewable"] is False

    # Nothing is overwritten, and nothing is made with a token of another kind.
    vault.wire.new_run()
    gone = command.run(*rotate, str(elsewhere), token=tokens[0])
    other = command.run(*rotate, str(vault.folder / "new"), token=root_token)
    kept = command.run(*rotate, str(vault.keys_file), token=tokens[-1])
    unset = command.run(*rotate, str(vault.folder / "new"))
    vault.token_file.write_text("something\n")
    foreign = command.run(*rotate, str(vault.token_file), token=tokens[-1])
    elsewhere.chmod(0o640)
    readable = command.run(*rotate, str(elsewhere))
    assert [each.exit_code for each in (gone, other, kept, unset, foreign, readable)] == [2] * 6
    assert "does not know the token in VAULT_TOKEN" in gone.errors
    assert "not one of `mesh-trust vault init`" in other.errors
    assert "holds no token" in kept.errors
    assert "VAULT_TOKEN is not set" in unset.errors
    assert "nothing is overwritten" in foreign.errors
    assert "chmod 600" in readable.errors
    assert vault.wire.steps == []
    assert vault.token_file.read_text() == "something\n"
    elsewhere.chmod(0o600)
    command.done(*rotate, str(elsewhere))


def test_a_file_that_is_gone_when_its_rotation_goes_on(
    new_vault: NewVault, command: VaultCommand
) -> None:
    vault = new_vault()
    command.done(*vault.init(*SMALL))
    first = vault.token()
    vault.wire.before = killing(command, REVOKE)
    rotate = ["rotate-admin-token", *vault.options, "--token-file", str(vault.token_file)]
    assert command.run(*rotate).exit_code == -signal.SIGKILL
    second, old = vault.token(), vault.token_file.with_name("token.old")
    vault.wire.new_run()
    vault.token_file.rename(vault.token_file.with_name("token.new"))
    old.unlink()

    told = command.done(*rotate)

    assert "is not at hand" in told
    assert vault.token() == second
    assert vault.servers[0].client(first).is_authenticated()


def test_what_cannot_be_put_in_its_place_is_said(
    new_vault: NewVault, command: VaultCommand
) -> None:
    vault = new_vault()
    command.done(*vault.init(*SMALL))
    first, old = vault.token(), vault.token_file.with_name("token.old")
    # What nobody can delete as a file.
    old.mkdir()
    rotate = ["rotate-admin-token", *vault.options, "--token-file", str(vault.token_file)]

    told = command.run(*rotate)

    assert told.exit_code == 2
    assert "token.old" in told.errors
    assert vault.token() == first
