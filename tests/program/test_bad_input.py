"""Wrong values end the program with a line each, before anything is written."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from lab.lab import Lab
from tests.background import in_background
from tests.bad_input import CA, Group, groups, rows, world
from tests.certificates import certificate_faults, key_pem, make
from tests.private_vault import AuditLog

from .alias import with_alias
from .inventory import kubernetes_client, take_inventory
from .program import Program, clusters

FAULTS = certificate_faults()
TRUST_KEYS = ("administrator", "istiodAgent", "rootOrganization")


@pytest.fixture(scope="module")
def folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files with faults, and a kubeconfig with those of the lab's clusters that have none."""
    folder = tmp_path_factory.mktemp("faults")
    world(folder, yaml.safe_load(lab.directory.kubeconfig.read_text()))
    return folder


@contextmanager
def nothing_is_written(lab: Lab, audit: AuditLog) -> Iterator[None]:
    """Looks in Vault and in every cluster."""
    inventory, writes = take_inventory(lab), audit.all_writes()
    yield
    assert take_inventory(lab).changes_since(inventory) == set()
    assert audit.all_writes() == writes


def refused(program: Program, private_key: str | None = None, **changes: Any) -> str:
    """What `up` prints when it ends because of `changes`, and of a root's `private_key`."""
    program.configure(**changes)
    try:
        if private_key is not None:
            program.configure_secret("rootPrivateKey", private_key)
        outcome = program.attempt("up", "--yes", "--skip-preview")
    finally:
        program.configure_as_committed()
    assert outcome.exit_code != 0
    assert "Traceback" not in outcome.output
    return outcome.output


def test_the_log_of_what_is_written_sees_a_write(
    lab: Lab, deployed: Program, audit: AuditLog
) -> None:
    """The control of the tests below."""
    before = audit.all_writes()
    deployed.configure(tokenTtlSeconds=1800)
    try:
        with pytest.raises(AssertionError), nothing_is_written(lab, audit):
            deployed.up()
    finally:
        deployed.configure_as_committed()
        deployed.up()
    written = audit.all_writes()[len(before) :]
    assert "auth/kube-east-mesh-auth/role/gen-int-ca-istio-east-mesh" in written


def test_whatever_is_wrong_is_said_at_once(
    lab: Lab, deployed: Program, audit: AuditLog, folder: Path
) -> None:
    """Every row of the table, with as few runs of the engine as the keys allow."""
    kubeconfig = str(folder / "kubeconfig")
    for group in groups(rows(), clusters("east"), folder):
        # A stack of Vault has none of the committed keys that say what the trust is to be.
        without = dict.fromkeys(TRUST_KEYS) if group.of_vault else {}
        with nothing_is_written(lab, audit):
            output = refused(deployed, **{"kubeconfig": kubeconfig, **without, **group.changes})
        _require_lines(output, group)


def _require_lines(output: str, group: Group) -> None:
    printed = [line.strip().removeprefix("error: ") for line in output.splitlines()]
    for expected in group.lines:
        assert [line for line in printed if line.startswith(expected)], expected
    if len(group.lines) > 1:
        assert f"{len(group.lines)} values of the configuration are not valid:" in output


@pytest.mark.parametrize("fault", ["not a CA", "expired", "short RSA key"])
def test_a_root_with_a_fault(lab: Lab, deployed: Program, audit: AuditLog, fault: str) -> None:
    made = FAULTS[fault]
    with nothing_is_written(lab, audit):
        output = _refused_root(deployed, made.certificate_pem, made.private_key_pem)
    assert "rootCertificate: 'SHA-256 " in output


def test_a_roots_key_that_is_anothers(lab: Lab, deployed: Program, audit: AuditLog) -> None:
    with nothing_is_written(lab, audit):
        output = _refused_root(deployed, make().certificate_pem, canary := key_pem(make().key))
    assert "rootPrivateKey: '…' is not valid; use the key of the certificate" in output
    assert canary.splitlines()[1] not in output


def _refused_root(program: Program, certificate_pem: str, private_key_pem: str) -> str:
    root = {"rootSource": "imported", "rootCertificate": certificate_pem, "rootOrganization": ""}
    return refused(program, private_key_pem, **root)


def test_a_wrong_ca_of_vault(lab: Lab, deployed: Program, audit: AuditLog, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(CA)
    with nothing_is_written(lab, audit):
        output = refused(deployed, vaultCaFile=str(tmp_path / "ca.pem"))
    assert f"vaultCaFile: '{tmp_path}/ca.pem' is not valid; give the CA that Vault's" in output

    deployed.configure(vaultCaFile=lab.environment()["VAULT_CACERT"])
    deployed.run("preview")
    deployed.configure_as_committed()


@contextmanager
def vault_of_version(version: str) -> Iterator[str]:
    """Answers to the question for its health as a Vault of `version` does; gives its address."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"initialized": True, "sealed": False, "version": version}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Not into the tests' output."""

    with in_background(HTTPServer(("127.0.0.1", 0), Health)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def test_a_vault_that_is_too_old(lab: Lab, deployed: Program, audit: AuditLog) -> None:
    with vault_of_version("1.10.11") as address, nothing_is_written(lab, audit):
        output = refused(deployed, vaultAddress=address)
    assert f"vaultAddress: '{address}' is not valid; upgrade it" in output
    assert "of version 1.10.11" in output


def test_a_value_of_another_kind_is_refused_by_the_engine(
    lab: Lab, deployed: Program, audit: AuditLog
) -> None:
    with nothing_is_written(lab, audit):
        output = refused(deployed, development="perhaps")
    assert "configuration key 'development' must be of type 'boolean'" in output


def _serve(api: Any, name: str, *, served: bool) -> None:
    """Has the API server know a definition's only version, or not, and waits until it does so."""
    change = [{"op": "replace", "path": "/spec/versions/0/served", "value": served}]
    api.patch_custom_resource_definition(name, change)
    deadline = time.monotonic() + 30
    while _is_served(api, name) is not served:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _is_served(api: Any, name: str) -> bool:
    group = name.partition(".")[2]
    listed: Any = client.CustomObjectsApi(api.api_client)
    try:
        kinds = listed.get_api_resources(group, "v2").resources
    except client.ApiException as error:
        if error.status != 404:
            raise
        return False
    return any(f"{kind.name}.{group}" == name for kind in kinds)


def test_a_cluster_without_gloos_definitions(lab: Lab, deployed: Program, audit: AuditLog) -> None:
    api: Any = client.ApiextensionsV1Api(kubernetes_client(lab, "north"))
    core: Any = client.CoreV1Api(kubernetes_client(lab, "north"))
    name = "roottrustpolicies.admin.gloo.solo.io"
    all_three = clusters("east", "west", "north")
    with nothing_is_written(lab, audit):
        output = refused(
            deployed, clusters=[*all_three[:2], {**all_three[2], "istioNamespace": "absent"}]
        )
    assert (
        "clusters[2].istioNamespace (cluster north): 'absent' is not valid; name the namespace of "
        "istiod" in output
    )
    # Not deleted: made anew it would be another one, and the lab is shared.
    _serve(api, name, served=False)
    try:
        with nothing_is_written(lab, audit):
            output = refused(deployed, clusters=all_three)
        assert (
            "clusters[2].context (cluster north): 'north' is not valid; install Gloo Mesh there "
            "first: its API server does not know roottrustpolicies" in output
        )
    finally:
        _serve(api, name, served=True)
    assert core.read_namespace("istio-system").metadata.name == "istio-system"
    deployed.configure(clusters=all_three)
    deployed.run("preview")
    deployed.configure_as_committed()


def test_one_cluster_under_two_addresses(
    lab: Lab, deployed: Program, audit: AuditLog, tmp_path: Path
) -> None:
    """Whichever name an API server has, its namespace kube-system tells it."""
    with nothing_is_written(lab, audit):
        output = refused(
            deployed,
            kubeconfig=str(with_alias(lab, tmp_path)),
            clusters=[*clusters("east"), {"name": "second", "context": "alias"}],
        )
    assert (
        "clusters[1].context (cluster second): 'alias' is not valid; use another context: it leads "
        "to the cluster of east" in output
    )


def test_an_address_that_vault_never_gets_to_is_warned_of(deployed: Program) -> None:
    """The lab's API servers are on loopback; its own Vault is as well, another one is not."""
    warning = "is this machine's own address, at which Vault does not get to"
    assert warning not in deployed.run("preview")
    deployed.configure(vaultAddress="https://vault.invalid:8200")
    outcome = deployed.attempt("preview")
    deployed.configure_as_committed()
    assert "clusters[0].kubernetesHost (cluster east): 'https://127.0.0.1:" in outcome.output
    assert warning in outcome.output
