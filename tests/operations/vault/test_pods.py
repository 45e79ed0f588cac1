"""The servers of an installed Vault, each reached through the API server."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import click
import pytest

from mesh_trust.kubeconfig import Kubeconfig
from mesh_trust.operations.vault.members import command_for
from mesh_trust.operations.vault.named import Named
from mesh_trust.settings import Connection

from .commands import VaultCommand
from .conftest import NewVault, OneVault
from .test_init import SMALL, assert_whole
from .tunnels import cluster_with


def options_of(vault: OneVault) -> list[str]:
    return ["--context", "mgmt", "--ca-file", str(vault.servers[0].ca_file)]


def port_of(vault: OneVault, number: int = 0) -> int:
    port = urlsplit(vault.servers[number].address).port
    assert port is not None
    return port


def test_a_pod_is_set_up(new_vault: NewVault, command: VaultCommand, tmp_path: Path) -> None:
    vault = new_vault(raft=1)
    files = ["--keys-file", str(vault.keys_file), "--token-file", str(vault.token_file)]
    with cluster_with(tmp_path, {"vault-0": port_of(vault)}, 1) as cluster:
        command.kubeconfig = cluster.kubeconfig
        named = options_of(vault)
        before = command.run("status", *named)
        assert before.exit_code == 1
        assert "--token-file FILE --context mgmt --ca-file" in before.output

        told = command.done("init", *named, *files, *SMALL)

        document = command.learn(vault.keys_file)
        assert "Vault at https://vault-0.vault-internal:8200 is initialised: 3" in told
        assert document["addresses"] == ["https://vault-0.vault-internal:8200"]
        assert_whole(vault, document["root_token"])
        assert "Nothing was to be done." in command.done("init", *named, *files, *SMALL)
        vault.servers[0].stop()
        gone = command.run("status", *named)
        assert gone.exit_code == 1
        assert "Vault does not answer in pod vault/vault-0 (error forwarding" in gone.output
        assert "logs -n vault vault-0 -c vault" in gone.output
        vault.servers[0].start()
        sealed = command.run("status", *named)
        assert "`mesh-trust vault unseal --context mgmt --ca-file" in sealed.output
        command.done("unseal", *named, "--keys-file", str(vault.keys_file))
        assert command.run("status", *named).exit_code == 0
        command.done("rotate-admin-token", *named, "--token-file", str(vault.token_file))
        assert vault.client().is_authenticated()
        assert set(cluster.forwards) == {"vault-0"}


def test_each_pod_is_asked_by_itself(
    new_vault: NewVault, command: VaultCommand, tmp_path: Path
) -> None:
    vault = new_vault(raft=2)
    first = vault.servers[0].client()
    made = first.sys.initialize(1, 1)
    first.sys.submit_unseal_key(made["keys"][0])
    pods = {"vault-0": port_of(vault), "vault-1": port_of(vault, 1)}
    with cluster_with(tmp_path, pods, 3) as cluster:
        command.kubeconfig = cluster.kubeconfig

        told = command.run("status", *options_of(vault), "--json")

        members = told.document["members"]
        assert [each["address"] for each in members] == [
            f"https://vault-{number}.vault-internal:8200" for number in range(3)
        ]
        assert [each["status"] and each["status"]["is_initialised"] for each in members] == [
            True,
            False,
            None,
        ]
        assert "no connection to pod vault/vault-2" in members[2]["fault"]
        assert "get pod -n vault vault-2" in members[2]["fix"]
        # Nothing is begun where one cannot be asked.
        files = ["--keys-file", str(vault.keys_file), "--token-file", str(vault.token_file)]
        refused = command.run("init", *options_of(vault), *files)
        assert refused.exit_code == 2
        assert "no connection to pod vault/vault-2" in refused.errors
        assert not vault.keys_file.exists()


def test_who_answers_has_to_be_that_pod(
    new_vault: NewVault, command: VaultCommand, tmp_path: Path
) -> None:
    vault, other = new_vault(), new_vault()
    # The certificate names vault-0 alone.
    with cluster_with(tmp_path, {"vault-0": port_of(vault), "vault-1": port_of(vault)}, 2) as found:
        command.kubeconfig = found.kubeconfig
        named = command.run("status", *options_of(vault), "--json")
        foreign = command.run("status", *options_of(other), "--json")
    assert [each["status"] is None for each in named.document["members"]] == [False, True]
    fault = named.document["members"][1]["fault"]
    assert "hostname 'vault-1.vault-internal' doesn't match" in fault
    assert "headless Service" in named.document["members"][1]["fix"]
    for each in foreign.document["members"]:
        assert each["status"] is None
        assert "does not hold against the CA that is given" in each["fault"]
        assert "--ca-file" in each["fix"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--namespace", "vault"], "namespace: 'vault' is not valid without --context"),
        (["--release", "vault"], "release: 'vault' is not valid without --context"),
        (
            ["--context", "mgmt", "--address", "https://vault"],
            "context: 'mgmt' is not valid with --address",
        ),
        (["--context", "nowhere"], "nowhere"),
        (["--context", "mgmt", "--namespace", "A"], "namespace: 'A' is not valid"),
        (["--context", "mgmt", "--release", "other"], "has no StatefulSet of Vault"),
        (["--context", "mgmt"], "serve plain HTTP"),
    ],
)
def test_what_is_not_valid(
    command: VaultCommand, tmp_path: Path, options: list[str], message: str
) -> None:
    with cluster_with(tmp_path, {}, 1) as cluster:
        cluster.port_name = "http"
        command.kubeconfig = cluster.kubeconfig

        told = command.run("status", *options)

    assert told.exit_code == 2
    assert message in told.errors
    assert told.errors.startswith("Error: ")
    assert told.errors.count("\n") == 1


def test_a_vault_without_pods(command: VaultCommand, tmp_path: Path) -> None:
    with cluster_with(tmp_path, {}, 0) as cluster:
        command.kubeconfig = cluster.kubeconfig
        told = command.run("status", "--context", "mgmt")

    assert told.exit_code == 2
    assert "is scaled to 0 pods" in told.errors


def test_a_server_that_is_not_there(command: VaultCommand, tmp_path: Path) -> None:
    with cluster_with(tmp_path, {}, 1) as cluster:
        command.kubeconfig = cluster.kubeconfig

    told = command.run("status", "--context", "mgmt")

    assert told.exit_code == 2
    assert "/readyz" in told.errors


@pytest.mark.parametrize("mode", ["standalone", "ha", "existing"])
def test_the_stacks_own_pods(tmp_path: Path, mode: str) -> None:
    with cluster_with(tmp_path, {}, 2) as cluster:
        read = Kubeconfig.read(cluster.kubeconfig)
        address = "https://vault.example.com"
        vault = SimpleNamespace(install={"mode": mode, "address": address}, ca_file=None)
        vault.namespace = None
        management = Connection(str(cluster.kubeconfig), "mgmt", read)
        # All that is read of a stack.
        stack = SimpleNamespace(
            settings=SimpleNamespace(vault=vault, management=management),
            outputs={"vaultCaCertificate": "PEM"},
        )
        project: Any = SimpleNamespace(stack_name="dev", stack=lambda: stack)
        with click.Context(click.Command("status")):
            members = Named().members(project)
            addresses = [each.address for each in members]
            if mode == "existing":
                assert addresses == [address]
                assert command_for("unseal", *members) == (
                    f"`mesh-trust vault unseal --address {address}`"
                )
                return
            assert addresses == [
                "https://vault-0.vault-internal:8200",
                "https://vault-1.vault-internal:8200",
            ]
            assert all(each.transport is not None for each in members)
            assert command_for("unseal", *members) == "`mesh-trust --stack dev vault unseal`"
            [file] = {each.ca_file for each in members}
            assert file is not None
            assert file.read_text() == "PEM"
        assert not file.exists()
