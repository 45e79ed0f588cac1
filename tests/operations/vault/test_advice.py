"""What is advised of a Vault that is not ready is run as it stands."""

import shlex
from collections.abc import Iterator

from mesh_trust.vault_commands import VaultCommands
from mesh_trust.vault_health import health_obstacle

from .commands import VaultCommand
from .conftest import NewVault, OneVault


def advised(vault: OneVault, *, with_its_ca: bool = True) -> list[str]:
    """The arguments of the advised command, its files named in the order in which they come."""
    server = vault.servers[0]
    ca = server.ca_file.read_text()
    ca_file = server.ca_file if with_its_ca else None
    commands = VaultCommands.at(server.address, ca_file)
    obstacle = health_obstacle(server.address, ca, None, commands)
    assert obstacle is not None
    start, command, end = obstacle.advice.split("`")
    assert (start, end) == ("run ", "")
    files: Iterator[str] = iter([str(vault.keys_file), str(vault.token_file)])
    words = [next(files) if word == "FILE" else word for word in shlex.split(command)]
    assert words[:2] == ["mesh-trust", "vault"]
    return words[2:]


def test_a_vault_with_a_ca_of_its_own_is_set_up_and_unsealed_as_advised(
    new_vault: NewVault, command: VaultCommand
) -> None:
    vault = new_vault(raft=1)
    init = advised(vault)
    # The control: with the system's certificates it comes to nothing.
    refused = command.run(*advised(vault, with_its_ca=False))
    assert refused.exit_code == 2
    assert "does not hold against the system's certificates" in refused.errors

    command.done(*init, "--keep-root-token")
    assert advised_nothing(vault)
    vault.client(command.learn(vault.keys_file)["root_token"]).sys.seal()
    unseal = advised(vault)
    assert unseal[0] == "unseal"
    command.done(*unseal)
    assert advised_nothing(vault)


def advised_nothing(vault: OneVault) -> bool:
    """Whether nothing is in the way any more."""
    server = vault.servers[0]
    return health_obstacle(server.address, server.ca_file.read_text()) is None
