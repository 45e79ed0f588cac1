"""What is said of a silent Vault of another stack, by what a real API server shows."""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_trust.environment.vault_servers import why_silent
from mesh_trust.settings import Connection
from mesh_trust.settings.vault_stack import InstalledVault as ToldVault
from mesh_trust.vault_commands import VaultCommands
from mesh_trust.vault_health import health_obstacle
from tests.conformance.kubernetes.conftest import CLUSTER

from .installed import InstalledVault
from .test_vault_servers_in_cluster import label, pods, servers

__all__ = ["servers"]

SILENT = "https://127.0.0.1:1"
STATUS = "`mesh-trust --stack prod-vault vault status`"
COMMAND = f"{STATUS} tells what each of its servers waits for"
UNSEAL = "run `mesh-trust --stack prod-vault vault unseal --keys-file FILE`"


def said(kubeconfig: Path | None, service: dict[str, str]) -> str:
    """What is said where the management cluster is that of `kubeconfig`, or is not known."""
    told = ToldVault("prod-vault", SILENT, None, None, service)
    # It was read already; here only what asks the cluster is of use.
    read: Any = None
    known = None if kubeconfig is None else Connection(str(kubeconfig), CLUSTER, read)
    return why_silent(told, known)


def test_its_pods_tell_or_else_a_command_is_told(
    servers: InstalledVault, kubeconfig_path: Path, tmp_path: Path
) -> None:
    for number in range(3):
        label(servers, number, initialised=True, sealed=True)
    service = {"name": "vault-active", "namespace": servers.namespace}
    sealed = f"{pods(servers, 'sealed', 0, 1, 2)}: {UNSEAL}"
    # An event of a pod may take a moment to be seen.
    deadline = time.monotonic() + 10
    while said(kubeconfig_path, service) != sealed and time.monotonic() < deadline:
        time.sleep(0.1)
    assert said(kubeconfig_path, service) == sealed

    assert said(None, service) == COMMAND
    assert said(kubeconfig_path, {}) == COMMAND
    assert said(kubeconfig_path, {**service, "namespace": "default"}) == COMMAND
    content = yaml.safe_load(kubeconfig_path.read_text())
    for each in content["clusters"]:
        each["cluster"]["server"] = SILENT
    nobody = tmp_path / "kubeconfig"
    nobody.write_text(yaml.safe_dump(content))
    assert said(nobody, service) == COMMAND


@pytest.mark.parametrize(
    ("commands", "advised"),
    [
        # Not the trust's stack, whose Vault is the address that is silent.
        (VaultCommands.of_stack("prod-vault"), STATUS),
        (None, "`mesh-trust vault status --context NAME`, of the cluster that it is in"),
    ],
)
def test_the_error_names_a_command_that_does_not_ask_the_silent_address(
    commands: VaultCommands | None, advised: str
) -> None:
    found = health_obstacle(SILENT, None, None, commands)

    assert found is not None
    assert found.advice.endswith(f"; no server behind a Service may be unsealed: {advised}")
