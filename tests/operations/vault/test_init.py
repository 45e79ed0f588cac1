"""A new Vault is set up, with nothing of it in clear but where that is asked for."""

import base64
import json
import os
import re
import stat
from pathlib import Path

from pyrage import decrypt as age_decrypt
from pyrage import x25519
from pysequoia import Tsk, decrypt

from lab.directory import CHECKOUT
from mesh_trust.operations.vault.stack_policy import DEFAULT_NAME

from .commands import VaultCommand, shell
from .conftest import NewVault, OneVault

SMALL = ("--shares", "3", "--threshold", "2")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def is_sealed(vault: OneVault) -> list[bool]:
    return [each.client().sys.is_sealed() for each in vault.servers]


def assert_whole(vault: OneVault, root_token: str) -> None:
    """All servers are of one Vault, the stack's token works, and the root token does not."""
    assert not any(is_sealed(vault))
    client = vault.client()
    assert DEFAULT_NAME in client.auth.token.lookup_self()["data"]["policies"]
    assert "sys/" in client.sys.list_mounted_secrets_engines()
    assert not vault.client(root_token).is_authenticated()
    assert mode(vault.keys_file) == mode(vault.token_file) == 0o600


def test_three_servers_become_one_vault(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault(raft=3)
    environment = {"HOME": str(vault.folder), "PATH": os.environ["PATH"], "COLUMNS": "200"}
    before = command.run("status", *vault.options, "--json")

    period = ("--token-period", "48h")
    told = shell(*vault.init("--keep-root-token", *period), environment=environment)

    document = command.learn(vault.keys_file)
    token = vault.token()
    command.secrets.add(token)
    assert told.exit_code == 0, told.printed
    assert not any(secret in told.printed for secret in command.secrets)
    assert [each["status"]["is_initialised"] for each in before.document["members"]] == [False] * 3
    assert before.exit_code == 1
    assert len(document["keys"]) == 5
    assert document["threshold"] == 3
    assert not any(is_sealed(vault))
    root = vault.client(document["root_token"])
    peers = root.sys.read_raft_config()["data"]["config"]["servers"]
    assert {each["node_id"] for each in peers} == {"vault-0", "vault-1", "vault-2"}
    facts = root.auth.token.lookup(token)["data"]
    assert facts["orphan"] is True
    assert facts["creation_ttl"] == 48 * 3600
    # Renewed for as long as its period is, whatever is asked for.
    assert root.auth.token.renew(token, "1000h")["auth"]["lease_duration"] == 48 * 3600

    status = command.run("status", *vault.options, "--json", token=document["root_token"])
    assert status.exit_code == 0
    roles = [each["status"]["role"] for each in status.document["members"]]
    assert sorted(roles) == ["follower", "follower", "leader"]
    assert sorted(each["id"] for each in status.document["raft_peers"]) == [
        "vault-0",
        "vault-1",
        "vault-2",
    ]

    vault.wire.new_run()
    again = command.done(*vault.init("--keep-root-token"))
    assert "Nothing was to be done." in again
    assert vault.wire.steps == []
    assert "the root token is revoked" in command.done(*vault.init())
    assert_whole(vault, document["root_token"])
    assert "Nothing was to be done." in command.done(*vault.init())

    # One server comes back sealed, and is unsealed by keys that are given one a line.
    vault.servers[1].stop()
    down = command.run("status", *vault.options, "--json")
    assert [each["status"] is None for each in down.document["members"]] == [False, True, False]
    assert down.exit_code == 1
    vault.servers[1].start()
    sealed = command.run("status", *vault.options)
    assert sealed.exit_code == 1
    assert "0 of 3 keys" in sealed.output
    few = command.run("unseal", *vault.options, given=document["keys"][0] + "\n")
    assert few.exit_code == 1
    assert "1 of 3 keys given" in few.output
    command.done("unseal", *vault.options, given="\n".join(document["keys"][1:3]) + "\n")
    assert not any(is_sealed(vault))
    # All of them, of which the first is unsealed by itself and finds no leader.
    for server in vault.servers:
        server.stop()
    for server in vault.servers:
        server.start()
    kept = ("--keys-file", str(vault.keys_file))
    command.done("unseal", *vault.options[:4], *kept)
    assert is_sealed(vault) == [False, True, True]
    leaderless = command.run("status", *vault.options[:4])
    assert leaderless.exit_code == 1
    assert "no server leads" in leaderless.output
    command.done("unseal", *vault.options, *kept)
    assert not any(is_sealed(vault))
    assert "Nothing was to be done" in command.done("unseal", *vault.options)
    for server in vault.servers:
        assert not any(secret in server.log() for secret in command.secrets)


def test_servers_that_join_by_themselves(new_vault: NewVault, command: VaultCommand) -> None:
    """As those of a chart do whose configuration names them to each other."""
    vault = new_vault(raft=3, joins=True)

    command.done(*vault.init(*SMALL, "--keep-root-token"))

    root_token = command.learn(vault.keys_file)["root_token"]
    assert not any(is_sealed(vault))
    peers = vault.client(root_token).sys.read_raft_config()["data"]["config"]["servers"]
    assert {each["node_id"] for each in peers} == {"vault-0", "vault-1", "vault-2"}
    command.done(*vault.init(*SMALL))
    assert_whole(vault, root_token)
    assert "Nothing was to be done." in command.done(*vault.init(*SMALL))


def test_keys_for_age_recipients(
    new_vault: NewVault, command: VaultCommand, tmp_path: Path
) -> None:
    vault = new_vault()
    identities = {name: x25519.Identity.generate() for name in ("alice", "bob", "eve")}
    files = {name: tmp_path / name for name in identities}
    for name, identity in identities.items():
        files[name].write_text(f"# of {name}\n{identity}\n")
    recipients = [
        part
        for name in ("alice", "bob")
        for part in ("--age-recipient", str(identities[name].to_public()))
    ]

    command.done(*vault.init(*SMALL, *recipients, "--keep-root-token"))

    content = vault.keys_file.read_bytes()
    document = json.loads(age_decrypt(content, [identities["bob"]]))
    command.secrets.update([*document["keys"], document["root_token"], vault.token()])
    assert not any(secret.encode() in content for secret in command.secrets)
    without = command.done(*vault.init(*SMALL, *recipients))
    assert "whether the root token is revoked is not to be seen" in without

    # Sealed again, it takes one of the recipients to unseal it.
    vault.client(document["root_token"]).sys.seal()
    kept = ["--keys-file", str(vault.keys_file)]
    eve = ["--age-identity", str(files["eve"])]
    refusals: dict[str, list[str]] = {
        "give --age-identity": [],
        "not encrypted to the identity": eve,
    }
    for why, wrong in refusals.items():
        refused = command.run("unseal", *vault.options, *kept, *wrong)
        assert refused.exit_code == 2
        assert why in refused.errors
        assert is_sealed(vault) == [True]
    command.done("unseal", *vault.options, *kept, "--age-identity", str(files["bob"]))
    alice = ["--age-identity", str(files["alice"])]
    assert "root token is revoked" in command.done(*vault.init(*SMALL, *recipients, *alice))
    assert_whole(vault, document["root_token"])
    assert "Nothing was to be done." in command.done(*vault.init(*SMALL, *recipients, *alice))


def test_keys_for_pgp_keys(new_vault: NewVault, command: VaultCommand, tmp_path: Path) -> None:
    vault = new_vault(raft=2)
    holders = [Tsk.generate(f"{name}@example.com") for name in ("alice", "bob", "carol")]
    certs = [each.extract_certificate() for each in holders]
    options = []
    for number, cert in enumerate(certs):
        file = tmp_path / f"{number}.asc"
        # One of them as gpg writes it without --armor.
        file.write_bytes(bytes(cert) if number == 1 else str(cert).encode())
        options += ["--pgp-key", str(file)]

    told = command.run(*vault.init("--threshold", "2", *options))

    assert told.exit_code == 1
    assert "vault unseal" in told.output
    document = json.loads(vault.keys_file.read_text())
    assert document["pgp_keys"] == [each.fingerprint for each in certs]
    keys = [opened(holder, key) for holder, key in zip(holders, document["keys"], strict=True)]
    root_token = opened(holders[0], document["root_token"])
    command.secrets.update([*keys, root_token])
    assert not any(secret in vault.keys_file.read_text() for secret in command.secrets)
    # Each holder at another time; the second one has Vault unsealed, but not the one that joins.
    assert command.run("unseal", *vault.options, given=keys[0]).exit_code == 1
    assert command.run("unseal", *vault.options, given=keys[1]).exit_code == 1
    assert is_sealed(vault) == [False, True]
    waiting = command.run(*vault.init("--threshold", "2", *options), token=root_token)
    assert waiting.exit_code == 1
    assert "has joined" in waiting.output
    command.done("unseal", *vault.options, given=f"{keys[1]}\n{keys[2]}\n")
    command.done(*vault.init("--threshold", "2", *options), token=root_token)
    assert_whole(vault, root_token)


def test_only_root_tokens_that_were_used_end(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    kept = command.learn(vault.keys_file)["root_token"]
    others = [vault.client(kept).auth.token.create_orphan()["auth"]["client_token"] for _ in "ab"]
    command.secrets.update(others)

    # What has made nothing is left alone, and the one in the file is not.
    told = command.done(*vault.init(*SMALL), token=others[0])
    assert "lives on, that in VAULT_TOKEN" in told
    assert f"the root token is revoked, that in {vault.keys_file}" in told
    assert not vault.client(kept).is_authenticated()
    assert vault.client(others[0]).is_authenticated()
    # What has made the stack's token ends.
    vault.token_file.unlink()
    told = command.done(*vault.init(*SMALL), token=others[1])
    assert "the root token is revoked, that in VAULT_TOKEN" in told
    assert not vault.client(others[1]).is_authenticated()
    assert vault.client(others[0]).is_authenticated()


def test_both_root_tokens_end(new_vault: NewVault, command: VaultCommand) -> None:
    vault = new_vault()
    command.done(*vault.init(*SMALL, "--keep-root-token"))
    kept = command.learn(vault.keys_file)["root_token"]
    given = vault.client(kept).auth.token.create_orphan()["auth"]["client_token"]
    vault.token_file.unlink()

    told = command.done(*vault.init(*SMALL), token=given)

    assert told.count("the root token is revoked") == 2
    assert not vault.client(kept).is_authenticated()
    assert not vault.client(given).is_authenticated()


def test_policy_files_are_part_of_the_policy(
    new_vault: NewVault, command: VaultCommand, tmp_path: Path
) -> None:
    vault = new_vault()
    rules = tmp_path / "rules.hcl"
    rules.write_text('path "sys/policies/acl/admins" { capabilities = ["read"] }\n')
    command.done(*vault.init(*SMALL, "--policy-file", str(rules), "--keep-root-token"))
    document = command.learn(vault.keys_file)
    policy = vault.client(document["root_token"]).sys.read_policy(DEFAULT_NAME)
    assert 'path "sys/policies/acl/admins"' in policy["data"]["rules"]
    readme = (CHECKOUT / "README.md").read_text().partition("```hcl\n")[2].partition("```")[0]
    for rule in readme.strip().splitlines():
        path = rule.split('"')[1]
        assert f'path "{path}"' in policy["data"]["rules"]

    # All of it, where that is said; what the token's successor takes is always there.
    rules.write_text('path "sys/mounts" { capabilities = ["read"] }\n')
    vault.token_file.unlink()
    only = ("--policy-file", str(rules), "--only-policy-files", "--keep-root-token")
    command.done(*vault.init(*only))
    written = vault.client(document["root_token"]).sys.read_policy(DEFAULT_NAME)["data"]["rules"]
    assert re.findall(r'path "([^"]+)"', written) == [
        f"auth/token/create/{DEFAULT_NAME}",
        "sys/mounts",
    ]


def opened(holder: Tsk, encrypted: str) -> str:
    content = decrypt(base64.b64decode(encrypted), decryptor=holder.decryptor()).bytes
    assert content is not None
    return content.decode()
