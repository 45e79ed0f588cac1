"""The program installs Vault on a node, sets the trust up in it, and mends what is lost."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from kubernetes import client

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.program.handshake import handshake
from tests.program.program import Program
from tests.program.test_up import exported_root

from .conftest import CLUSTERS
from .installed import InstalledVault, exchange_in_a_pod
from .pods import api_client, core, until

MOUNTS = {"pki/", *(f"pki_int_{cluster}/" for cluster in CLUSTERS)}


@pytest.fixture(scope="module")
def program(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = Program(lab, tmp_path_factory.mktemp("configuration"))
    yield program
    if program.deployed:
        program.configure_as_committed()
        program.destroy()


@pytest.fixture
def deployed(program: Program) -> Program:
    if not program.deployed:
        program.up()
    return program


def install(program: Program, **changes: Any) -> None:
    """Configures the installation as committed, with these changes."""
    committed = {"mode": "dev", "chart": "./lab/charts/vault"}
    program.configure(vaultInstall=committed | changes)


def vault_pod(lab: Lab) -> Any:
    return core(lab, "mgmt").read_namespaced_pod("vault-0", "vault")


def test_the_first_preview_tells_what_comes_although_vault_is_not_there(program: Program) -> None:
    output = program.run("preview", "--diff")

    for expected in (
        "+ kubernetes:helm.sh/v3:Release: (create)",
        "+ vault:index/mount:Mount: (create)",
        ': "pki_int_east"',
        "+ vault:kubernetes/authBackendRole:AuthBackendRole: (create)",
        "vaultAddress",
    ):
        assert expected in output, expected
    for unexpected in ("error:", "warning:", "Traceback", "connection refused"):
        assert unexpected not in output, unexpected
    assert "devRootToken: [secret]" in output
    plan = program.plan()
    assert {step["op"] for step in plan.values()} <= {"create", "read"}


def test_one_up_installs_vault_and_sets_the_trust_up_in_it(lab: Lab, program: Program) -> None:
    output = program.up()

    vault = InstalledVault.of(lab)
    assert re.search(rf"Vault is ready after \d+ s: {re.escape(vault.address)}", output)
    assert program.outputs()["vaultAddress"] == vault.address
    assert vault.mounts() == MOUNTS
    assert vault_pod(lab).spec.node_name == "mgmt-node"
    assert vault.root_token not in output


def test_a_users_shell_gets_at_it_without_the_token_being_shown(
    lab: Lab, deployed: Program
) -> None:
    assert deployed.deployed
    command = [sys.executable, "-m", "lab", "--directory", str(lab.directory.root), "env"]
    printed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    script = f'{printed.stdout}\nprintf "%s %s" "$VAULT_ADDR" "$VAULT_TOKEN"'
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

    vault = InstalledVault.of(lab)
    assert vault.root_token not in printed.stdout + printed.stderr
    assert shell.stdout == f"{vault.address} {vault.root_token}"


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_agents_exchange_works_from_a_pod_through_the_service(
    lab: Lab, deployed: Program, cluster: str
) -> None:
    answer = exchange_in_a_pod(lab, cluster)

    assert answer is not None
    root = exported_root(deployed)
    certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
    certificate.verify_directly_issued_by(root)
    assert x509.load_pem_x509_certificate(answer["issuing_ca"].encode()) == root


def test_another_account_in_a_pod_beside_it_gets_nothing(lab: Lab, deployed: Program) -> None:
    assert deployed.deployed
    assert exchange_in_a_pod(lab, "east", account="default") is None


@pytest.mark.soak
def test_a_second_up_and_its_preview_change_nothing(deployed: Program) -> None:
    deployed.run("preview", "--expect-no-changes")
    deployed.up("--expect-no-changes")
    assert deployed.steps() == {}


@pytest.mark.soak
def test_what_dev_mode_forgets_with_its_pod_is_seen_and_mended(lab: Lab, deployed: Program) -> None:
    before = vault_pod(lab).metadata.uid
    core(lab, "mgmt").delete_namespaced_pod("vault-0", "vault")
    until(lambda: _is_another_pod_ready(lab, before), "a new pod of Vault")
    assert InstalledVault.of(lab).mounts() == set()
    # Without a look, the engine goes by what it remembers, and the program notices.
    unseen = deployed.attempt("preview")
    assert unseen.exit_code != 0
    assert "mount 'pki' has no issuers any more: `pulumi refresh` sees it" in unseen.output

    deployed.run("refresh", "--yes", "--skip-preview")
    steps = deployed.steps()
    assert (
        steps["root-pki-mount"] == steps["east-auth-mount"] == steps["west-auth-role"] == "create"
    )
    deployed.up()

    assert InstalledVault.of(lab).mounts() == MOUNTS
    assert handshake(lab, "east").issuing_ca == exported_root(deployed)
    assert deployed.steps() == {}


@pytest.mark.soak
def test_changed_values_are_previewed_and_taken_up(lab: Lab, deployed: Program) -> None:
    before = vault_pod(lab).metadata.uid
    values = {"server": {"service": {"annotations": {"example.com/owner": "platform"}}}}
    install(deployed, logLevel="info", values=values)
    try:
        assert {"vault-install-release": "update"}.items() <= deployed.steps().items()
        output = deployed.run("preview", "--diff")
        assert 'logLevel: "debug" => "info"' in output
        assert "example.com/owner" in output
        output = deployed.up()

        service = core(lab, "mgmt").read_namespaced_service("vault", "vault")
        assert service.metadata.annotations["example.com/owner"] == "platform"
        apps: Any = client.AppsV1Api(api_client(lab, "mgmt"))
        template = apps.read_namespaced_stateful_set("vault", "vault").spec.template
        [container] = template.spec.containers
        assert "info" in {each.value for each in container.env}
        # The chart leaves it to the user when the pod is replaced: a development Vault forgets.
        assert "pod vault/vault-0 still runs as before the last upgrade" in output
        assert vault_pod(lab).metadata.uid == before
        assert InstalledVault.of(lab).mounts() == MOUNTS
        assert deployed.steps() == {}
    finally:
        deployed.configure_as_committed()
        deployed.up()


@pytest.mark.soak
def test_uninstalling_leaves_nothing(lab: Lab, deployed: Program) -> None:
    api = core(lab, "mgmt")
    vault = api.list_namespaced_pod("vault").items
    assert vault
    deployed.destroy()

    namespaces = {each.metadata.name for each in api.list_namespace().items}
    assert namespaces == {
        *("default", "gloo-mesh", "kube-node-lease", "kube-public", "kube-system"),
    }
    rbac: Any = client.RbacAuthorizationV1Api(api_client(lab, "mgmt"))
    names = {each.metadata.name for each in rbac.list_cluster_role_binding().items}
    assert not any("vault" in name for name in names)


def _is_another_pod_ready(lab: Lab, before: str) -> bool:
    try:
        pod = vault_pod(lab)
    except client.exceptions.ApiException:
        return False
    conditions = {each.type: each.status for each in pod.status.conditions or ()}
    return pod.metadata.uid != before and conditions.get("Ready") == "True"
