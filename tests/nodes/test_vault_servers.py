"""Vault for production on a node: installed, initialised, used, renewed, taken away, put back."""

import re
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hvac
import pytest
import requests
from kubernetes import client

from lab.lab import Lab
from mesh_trust.operations.vault.stack_policy import DEFAULT_NAME
from tests.program.handshake import handshake

from .own_vault import (
    SECONDS,
    Servers,
    Stack,
    configure_trust,
    delete_namespaces,
    engine_is_there,
    install_values,
    next_addresses,
)
from .pods import api_client, core, until

pytestmark = pytest.mark.soak

VAULT_STACK, TRUST_STACK = "own-vault", "own-trust"
SERVERS = ("vault-0", "vault-1", "vault-2")
CLUSTERS = ("east", "west")
AUDIT_FILE = "/vault/audit/audit.log"
CERTIFICATE = "tls:index/locallySignedCert:LocallySignedCert"


@pytest.fixture(scope="module")
def address(lab: Lab) -> str:
    """Of the Service that leads to the server which leads; that of all servers comes first."""
    return next_addresses(lab, 2)[1]


@pytest.fixture(scope="module")
def servers(lab: Lab) -> Servers:
    return Servers(lab)


@pytest.fixture(scope="module")
def folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    engine_is_there(lab)
    return tmp_path_factory.mktemp("stacks")


@pytest.fixture(scope="module")
def vault_stack(lab: Lab, folder: Path) -> Iterator[Stack]:
    stack = Stack(lab, VAULT_STACK, folder)
    yield stack
    stack.remove()
    delete_namespaces(lab, "vault")


@pytest.fixture(scope="module")
def trust_stack(lab: Lab, folder: Path, vault_stack: Stack) -> Iterator[Stack]:
    # Its Vault goes after it.
    assert vault_stack.folder == folder
    stack = Stack(lab, TRUST_STACK, folder)
    yield stack
    stack.remove()


def configure_vault(stack: Stack, address: str, **further: Any) -> None:
    stack.configure(
        management={"context": "mgmt"}, vaultInstall=install_values("ha", address, **further)
    )


def volumes(lab: Lab) -> set[str]:
    claims = core(lab, "mgmt").list_namespaced_persistent_volume_claim("vault").items
    assert all(each.status.phase == "Bound" for each in claims)
    return {each.metadata.name for each in claims}


def presented(address: str) -> str:
    return ssl.get_server_certificate((address, 8200))


def errors_of(output: str) -> set[str]:
    """What the engine prints as errors; some of it twice."""
    return {each.strip() for each in re.findall(r"error: (.*)", output)} - {"update failed"}


ALL_VOLUMES = {f"{what}-{pod}" for what in ("data", "audit") for pod in SERVERS}


def test_three_servers_come_up_and_what_people_have_to_do_is_told(
    lab: Lab, vault_stack: Stack, servers: Servers, address: str
) -> None:
    configure_vault(vault_stack, address)
    output = vault_stack.up()

    assert "is not initialised: run `mesh-trust --stack own-vault vault init" in output
    assert set(servers.pods()) == set(SERVERS)
    assert not any(servers.status(pod)["initialized"] for pod in SERVERS)
    assert volumes(lab) == ALL_VOLUMES
    outputs = vault_stack.outputs()
    assert outputs["vaultService"] == {"name": "vault-active", "namespace": "vault"}
    balancer = servers.core.read_namespaced_service("vault-active", "vault").status.load_balancer
    assert [each.ip for each in balancer.ingress] == [address]
    assert outputs["vaultAddress"] == f"https://{address}:8200"
    assert outputs["vaultCaCertificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert outputs["vaultAuditFile"] == AUDIT_FILE
    budgets: Any = client.PolicyV1Api(api_client(lab, "mgmt"))
    budget = budgets.read_namespaced_pod_disruption_budget("vault", "vault")
    assert budget.spec.max_unavailable == 1
    vault_stack.run("preview", "--expect-no-changes")


def test_the_trust_waits_for_them_and_says_what_to_do(
    vault_stack: Stack, trust_stack: Stack
) -> None:
    assert vault_stack.outputs()["vaultAddress"]
    trust_stack.token = "none-yet"
    configure_trust(trust_stack, vault_stack, *CLUSTERS)
    done = trust_stack.attempt("up", "--yes", "--skip-preview")

    assert done.returncode != 0
    [error] = [each for each in errors_of(done.stdout) if each.startswith("Vault is not ready")]
    # Asked of the trust's own stack, the address that is silent would tell nothing.
    command = f"`mesh-trust --stack {VAULT_STACK} vault status`"
    assert error.endswith(f"no server behind a Service may be unsealed: {command}")
    assert "Traceback" not in done.stdout


def test_once_initialised_nothing_is_to_be_done_and_the_trust_can_be_set_up(
    lab: Lab, vault_stack: Stack, trust_stack: Stack, servers: Servers, tmp_path: Path
) -> None:
    token = servers.initialise(vault_stack, tmp_path)
    until(servers.are_ready, "three servers that are ready", SECONDS)
    assert "leader" in vault_stack.mesh_trust("vault", "status")
    assert "warning" not in vault_stack.up("--expect-no-changes")
    outputs = vault_stack.outputs()
    ca = tmp_path / "ca.pem"
    ca.write_text(outputs["vaultCaCertificate"])
    assert servers.keys is not None
    vault: Any = hvac.Client(
        outputs["vaultAddress"], token=servers.keys["root_token"], verify=str(ca)
    )
    # With no more than what this stack needs, its log included.
    printed = trust_stack.mesh_trust("vault", "policy").splitlines()
    rules = [each for each in printed if each.startswith("path ")]
    vault.sys.create_or_update_policy(DEFAULT_NAME, "\n".join(rules))
    trust_stack.token = token

    trust_stack.up()

    assert handshake(lab, "east")
    assert handshake(lab, "west")
    device = vault.sys.list_enabled_audit_devices()["data"]["mesh-trust/"]
    assert (device["type"], device["options"]) == ("file", {"file_path": AUDIT_FILE})
    log = servers.vault(servers.leader(), f"grep -c sign-intermediate {AUDIT_FILE}")
    assert int(log) >= 2
    trust_stack.run("preview", "--expect-no-changes")


def test_verify_and_preflight_look_at_the_servers(vault_stack: Stack, trust_stack: Stack) -> None:
    """By forwards to each of them; with the token of the trust's stack at the audit log, too."""
    verified = vault_stack.mesh_trust("verify", "--json")
    assert "leads, 3 of 3 servers are well" in verified
    assert "not looked at, as VAULT_TOKEN is not set" in verified
    for pod in SERVERS:
        assert f"https://{pod}.vault-internal:8200" in verified
    assert "3 servers of vault/vault run" in vault_stack.mesh_trust("preflight", "--json")
    assert trust_stack.token is not None
    assert "mesh-trust/ is a file" in vault_stack.mesh_trust(
        "verify", "--json", token=trust_stack.token
    )


def answering(servers: Servers) -> set[str]:
    """The pods that requests to Vault's address get to."""
    found = servers.core.read_namespaced_endpoints("vault-active", "vault").subsets or []
    return {each.target_ref.name for part in found for each in part.addresses or ()}


def lead_to(servers: Servers, *, leader: bool) -> None:
    """Has Vault's address lead to the server that leads, or to the others only."""
    chosen = {"spec": {"selector": {"vault-active": str(leader).lower()}}}
    servers.core.patch_namespaced_service("vault-active", "vault", chosen)
    wanted = {each for each in SERVERS if (each == servers.leader()) is leader}
    until(lambda: answering(servers) == wanted, f"endpoints {wanted}", SECONDS)


def test_clients_get_to_the_leader_and_a_standby_sends_none_astray(
    lab: Lab, vault_stack: Stack, servers: Servers, tmp_path: Path
) -> None:
    address, ca = vault_stack.outputs()["vaultAddress"], tmp_path / "ca.pem"
    ca.write_text(vault_stack.outputs()["vaultCaCertificate"])
    assert answering(servers) == {servers.leader()}

    lead_to(servers, leader=False)
    try:
        assert handshake(lab, "east")
        # As it answers while it cannot pass a request on.
        answer = requests.get(
            f"{address}/v1/auth/token/lookup-self",
            headers={"X-Vault-No-Request-Forwarding": "true"},
            verify=str(ca),
            allow_redirects=False,
            timeout=10,
        )
        assert answer.status_code == 307
        assert answer.headers["Location"] == f"{address}/v1/auth/token/lookup-self"
    finally:
        lead_to(servers, leader=True)
    assert handshake(lab, "east")


def test_a_server_that_was_lost_is_told_to_be_sealed_and_the_trust_goes_on(
    lab: Lab, vault_stack: Stack, servers: Servers
) -> None:
    servers.lose("vault-1")
    output = vault_stack.up()
    assert (
        "Vault in pod vault/vault-1 is sealed: run `mesh-trust --stack own-vault vault unseal"
        in (output)
    )
    assert handshake(lab, "east")
    servers.unseal()


# What is said of a Vault that nobody leads, or whose server has just gone; the second line as
# clients say it.
_AWAY = re.compile(
    "Vault is not ready after|cannot reach Vault at|Code: 5[0-9][0-9]|"
    "connection refused|connection reset|i/o timeout|deadline exceeded|EOF",
    re.IGNORECASE,
)


def test_updates_go_on_while_one_server_after_the_other_is_lost(
    lab: Lab, vault_stack: Stack, trust_stack: Stack, servers: Servers
) -> None:
    """The leader among them. An update that meets the moment without one may fail, in a line."""

    def lose_all() -> None:
        for pod in SERVERS:
            servers.lose(pod)
            servers.unseal()

    made, failed = 0, []
    with ThreadPoolExecutor() as executor:
        losing = executor.submit(lose_all)
        while not losing.done():
            made += 1
            configure_trust(trust_stack, vault_stack, *CLUSTERS, tokenTtlSeconds=3600 + made)
            done = trust_stack.attempt("up", "--yes", "--skip-preview")
            assert "Traceback" not in done.stdout
            if done.returncode != 0:
                failed.append(done.stdout)
        losing.result()
    print(f"{made} updates while all servers were replaced, {len(failed)} of them failed")

    trust_stack.up()
    assert made > len(failed)
    for output in failed:
        assert any(_AWAY.search(line) for line in errors_of(output)), output
        assert "permission denied" not in output
    assert handshake(lab, "east")
    trust_stack.run("preview", "--expect-no-changes")


def make_due(resources: list[dict[str, Any]]) -> None:
    """Has the certificate end within `certificateRenewalDays`, as if it had been made long ago.

    Its lifetime is in days, so that none comes there by itself in the time of a test.
    """
    [certificate] = [each for each in resources if each["type"] == CERTIFICATE]
    end = datetime.now(UTC) + timedelta(days=30)
    certificate["outputs"]["validityEndTime"] = end.isoformat(timespec="seconds")


def exchanges_until(lab: Lab, ended: threading.Event) -> int:
    """Makes the exchange of istiod's agent again and again; each has to succeed."""
    made = 0
    while not ended.is_set():
        assert handshake(lab, "east")
        made += 1
    return made


def test_a_certificate_that_is_due_is_renewed_while_agents_go_on(
    lab: Lab, vault_stack: Stack, servers: Servers, address: str
) -> None:
    before, pods = presented(address), servers.pods()
    assert "warning" not in vault_stack.up("--expect-no-changes")
    vault_stack.change_state(make_due)

    ended = threading.Event()
    with ThreadPoolExecutor() as executor:
        exchanges = executor.submit(exchanges_until, lab, ended)
        try:
            vault_stack.up()
            until(lambda: presented(address) != before, "the new certificate", SECONDS)
        finally:
            ended.set()
        made = exchanges.result()
    print(f"{made} exchanges while the certificate was renewed")

    assert made > 1
    assert handshake(lab, "east")
    vault_stack.run("preview", "--expect-no-changes")
    now = servers.pods()
    assert {name: each.metadata.uid for name, each in now.items()} == {
        name: each.metadata.uid for name, each in pods.items()
    }
    assert servers.are_ready()


def test_volumes_stay_and_are_there_for_the_next_installation(
    lab: Lab, vault_stack: Stack, trust_stack: Stack, servers: Servers, address: str
) -> None:
    vault_stack.destroy()

    until(lambda: not servers.pods(), "the end of all pods", SECONDS)
    assert volumes(lab) == ALL_VOLUMES
    configure_vault(vault_stack, address, createNamespace=False)
    output = vault_stack.up()
    assert "is sealed: run `mesh-trust --stack own-vault vault unseal" in output
    servers.unseal()
    # Vault has what it had; what clients check its certificate with is new.
    trust_stack.up()
    assert handshake(lab, "west")
    trust_stack.destroy()
