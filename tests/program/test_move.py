"""A setup made by hand moves to another Vault, with the same root and a cluster at a time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.directory import CHECKOUT
from lab.lab import Lab
from lab.toolchain import Toolchain
from tests.docs.commands import commands_of
from tests.printed import run_as_printed
from tests.private_vault import PrivateVault, running_vault

from .by_hand import list_clusters
from .chain import workload_certificate
from .guide import CLUSTERS, Guide
from .handshake import Instructions, handshake
from .inventory import take_inventory
from .program import Program

PAGE = CHECKOUT / "docs" / "existing-setup.md"


@pytest.fixture
def other_vault(toolchain: Toolchain, tmp_path: Path) -> Iterator[PrivateVault]:
    """A Vault with nothing in it, beside the guide's."""
    folder = tmp_path / "vault"
    folder.mkdir()
    with running_vault(toolchain["vault"].path, folder, "http") as running:
        yield running


@pytest.fixture
def moving(undeployed: Program, other_vault: PrivateVault, by_hand: Guide) -> Iterator[Program]:
    """The program, told of the guide's root and of the other Vault."""
    assert by_hand.root_certificate
    undeployed.run("config", "set", "vaultAddress", other_vault.address)
    # As the guide has left istiod.
    undeployed.run("config", "rm", "istiodAgent")
    undeployed.vault_token = other_vault.token
    yield undeployed
    if undeployed.deployed:
        undeployed.destroy()
    undeployed.vault_token = None


@pytest.mark.soak
def test_clusters_move_to_a_new_vault_one_after_the_other(
    lab: Lab,
    other_vault: PrivateVault,
    by_hand: Guide,
    moving: Program,
    shell: dict[str, str],
) -> None:
    shell = {**shell, "VAULT_TOKEN": other_vault.token, "stack": "dev"}
    before = take_inventory(lab)
    moved: list[str] = []
    moving.deployed = True
    for cluster in CLUSTERS:
        list_clusters(moving, *moved, cluster)
        told = policies(lab)

        prepared = moving.attempt("up", "--yes", "--skip-preview")

        # The new Vault is ready, and no agent has heard of it.
        assert prepared.exit_code != 0
        assert f'"{cluster}" already exists' in prepared.output
        assert policies(lab) == told
        role = f"auth/kube-{cluster}-mesh-auth/role/gen-int-ca-istio-{cluster}-mesh"
        assert other_vault.client.read(role) is not None

        run_as_printed(import_command(), CHECKOUT, {**shell, "cluster": cluster})
        assert policies(lab) == told
        assert moving.steps() == {f"{cluster}-trust-policy": "update"}
        moving.up()

        moved.append(cluster)
        for each in CLUSTERS:
            is_there = policies(lab)[each].server == other_vault.address
            assert is_there is (each in moved)
        intermediate = handshake(lab, cluster)
        intermediate.certificate.verify_directly_issued_by(by_hand.root)
        workload_certificate(intermediate).verify_directly_issued_by(intermediate.certificate)
    moving.run("preview", "--expect-no-changes")
    # The old one stays as it was, for as long as somebody may want to go back.
    assert take_inventory(lab).vault == before.vault


def policies(lab: Lab) -> dict[str, Instructions]:
    """What the agents are told, by cluster."""
    return {cluster: Instructions.of(lab, cluster) for cluster in CLUSTERS}


def import_command() -> str:
    """The command by which the page has a RootTrustPolicy taken over."""
    return next(each.text for each in commands_of(PAGE) if "pulumi import" in each.text)
