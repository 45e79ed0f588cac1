"""All that is in a Vault is saved, and put into new servers when the old ones are lost."""

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.nodes.pods import until
from tests.unit.test_snapshot_file import snapshot

from .commands import VaultCommand
from .conftest import NewVault, OneVault
from .test_init import SMALL, is_sealed

RULES = """
path "pki_int_east/intermediate/generate/exported" { capabilities = ["update"] }
path "pki/root/sign-intermediate" { capabilities = ["update"] }
"""


def set_trust_up(root: Any) -> bytes:
    """What the agents' exchange needs of what the stack makes; gives the root's certificate."""
    for path in ("pki", "pki_int_east"):
        root.sys.enable_secrets_engine("pki", path=path)
    made = root.write_data(
        "pki/root/generate/internal", data={"common_name": "Root", "ttl": "700h"}
    )
    root.sys.create_or_update_policy("east", RULES)
    certificate: str = made["data"]["certificate"]
    return certificate.encode()


def exchange(client: Any) -> tuple[x509.Certificate, x509.Certificate]:
    """The agents' exchange: the intermediate, and what it was signed by."""
    asked = client.write_data(
        "pki_int_east/intermediate/generate/exported", data={"common_name": "istiod"}
    )
    signed = client.write_data(
        "pki/root/sign-intermediate",
        data={"csr": asked["data"]["csr"], "common_name": "istiod", "ttl": "24h"},
    )["data"]
    assert asked["data"]["private_key"]
    return tuple(  # type: ignore[return-value]
        x509.load_pem_x509_certificate(signed[name].encode())
        for name in ("certificate", "issuing_ca")
    )


def lose_all(vault: OneVault) -> None:
    """Ends all servers and deletes their data; they come up again as new ones."""
    for server in vault.servers:
        server.stop()
        shutil.rmtree(server.folder / "data")
        (server.folder / "data").mkdir()
    for server in vault.servers:
        server.start()


def save(vault: OneVault, command: VaultCommand, token: str) -> Path:
    file = vault.folder / "snapshot"
    told = command.done("snapshot", *vault.options, "--snapshot-file", str(file), token=token)
    assert f"is in {file}: " in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return file


@pytest.mark.parametrize(
    "joins",
    [
        pytest.param(False, id="told to join"),
        pytest.param(True, id="joining by themselves", marks=pytest.mark.soak),
    ],
)
def test_all_servers_are_lost(new_vault: NewVault, command: VaultCommand, joins: bool) -> None:
    vault = new_vault(raft=3, joins=joins)
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    document = command.learn(vault.keys_file)
    root = vault.client(document["root_token"])
    anchor = x509.load_pem_x509_certificate(set_trust_up(root))
    agent = root.auth.token.create_orphan(policies=["east"])["auth"]["client_token"]
    file = save(vault, command, document["root_token"])
    lose_all(vault)
    before = {*vault.folder.iterdir()}

    told = command.done(*restoring(vault, file))

    assert "the unseal keys and tokens are those of that time" in told
    assert told.count(" is unsealed") == 3
    assert told.splitlines()[-1].endswith(" leads")
    assert {*vault.folder.iterdir()} == before
    intermediate, issuer = exchange(vault.client(agent))
    assert issuer == anchor
    intermediate.verify_directly_issued_by(anchor)
    # The stack's token is that of before as well.
    assert "sys/" in vault.client().sys.list_mounted_secrets_engines()
    status = command.run("status", *vault.options, "--json", token=document["root_token"])
    assert status.exit_code == 0, status.printed
    assert {each["id"] for each in status.document["raft_peers"]} == {
        "vault-0",
        "vault-1",
        "vault-2",
    }
    assert "Nothing was to be done" in command.done("unseal", *vault.options)


def restoring(vault: OneVault, file: Path) -> list[str]:
    """Arguments by which `file` comes into new servers."""
    keys = ["--keys-file", str(vault.keys_file)]
    return ["restore", *vault.options, "--snapshot-file", str(file), *keys, "--yes"]


def test_a_vault_is_set_back(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault(raft=1)
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    token = command.learn(vault.keys_file)["root_token"]
    root = vault.client(token)
    root.sys.enable_secrets_engine("kv", path="kv")
    root.write_data("kv/secret", data={"value": "plain-canary"})
    file = save(vault, command, token)
    assert b"plain-canary" not in file.read_bytes()
    root.write_data("kv/secret", data={"value": "later"})
    restore = ["restore", *vault.options, "--snapshot-file", str(file)]

    # Nobody can be asked here, and a token that may not is refused by Vault.
    unasked = command.run(*restore, token=token)
    assert unasked.exit_code == 2
    assert "nobody can be asked here: say --yes" in unasked.errors
    for arguments, why in (
        ([*restore, "--yes"], "does not take the snapshot"),
        (["snapshot", *vault.options, "--snapshot-file", str(file) + "-2"], "send a snapshot"),
    ):
        stacks = command.run(*arguments, token=vault.token())
        assert stacks.exit_code == 2
        assert f"{why}: " in stacks.errors
        assert "permission denied" in stacks.errors
        assert stacks.errors.count("\n") == 1
    assert root.read("kv/secret")["data"] == {"value": "later"}
    assert [*vault.folder.glob("*snapshot*")] == [file]

    # Its own keys: there is nothing to be unsealed.
    told = command.done(*restore, "--yes", token=token)
    assert "unsealed" not in told
    assert root.read("kv/secret")["data"] == {"value": "plain-canary"}


def test_keys_are_asked_of_people(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault(raft=2)
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    document = command.learn(vault.keys_file)
    file = save(vault, command, document["root_token"])
    lose_all(vault)
    restore = ["restore", *vault.options, "--snapshot-file", str(file), "--yes"]

    told = command.run(*restore, *SMALL)

    assert told.exit_code == 1
    assert "it is sealed: give it the keys that the snapshot was made under" in told.output
    assert "`mesh-trust vault unseal --address" in told.output
    for verb in ("snapshot", "restore"):
        new = str(file) if verb == "restore" else "new"
        sealed = command.run(verb, *vault.options, "--snapshot-file", new, token="t")
        assert sealed.exit_code == 2
        assert "unseal all servers first" in sealed.errors or "leads" in sealed.errors
    given = "\n".join(document["keys"][:2])
    command.done("unseal", *vault.options, given=given)
    assert is_sealed(vault) == [False, False]
    until(lambda: vault.takes(document["root_token"]), "the tokens of before")


def test_other_keys_than_those_of_the_snapshot(new_vault: NewVault, command: VaultCommand) -> None:
    vault, other = new_vault(raft=1), new_vault(raft=1)
    for each in (vault, other):
        command.done(*each.init(*SMALL, "--keep-root-token"))
    file = save(vault, command, command.learn(vault.keys_file)["root_token"])
    token = command.learn(other.keys_file)["root_token"]
    restore = ["restore", *other.options, "--snapshot-file", str(file), "--yes"]

    told = command.run(*restore, token=token)

    assert told.exit_code == 2
    assert "was made under other keys" in told.errors
    assert other.client(token).is_authenticated()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["snapshot", "--snapshot-file", "there"], "there is there already"),
        (["snapshot", "--snapshot-file", "new"], "VAULT_TOKEN is not set"),
        (["restore", "--snapshot-file", "there"], "there is no whole snapshot"),
        (["restore", "--snapshot-file", "snapshot"], "does not answer at https://127.0.0.1:1"),
        (
            ["restore", "--snapshot-file", "snapshot", "--shares", "2", "--threshold", "3"],
            "threshold: 3 is not valid",
        ),
    ],
)
def test_what_is_not_valid(
    command: VaultCommand, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "there").write_text("something")
    (tmp_path / "snapshot").write_bytes(snapshot())

    told = command.run(*arguments, "--address", "https://127.0.0.1:1", folder=tmp_path)

    assert told.exit_code == 2
    assert message in told.errors
    assert told.errors.startswith("Error: ")
    assert told.errors.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_storage_that_has_no_snapshots(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    token = command.learn(vault.keys_file)["root_token"]
    file = str(vault.folder / "snapshot")

    told = command.run("snapshot", *vault.options, "--snapshot-file", file, token=token)

    assert told.exit_code == 2
    assert "keeps its data in storage 'inmem'" in told.errors
    assert not Path(file).exists()
