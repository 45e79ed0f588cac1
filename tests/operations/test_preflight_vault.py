"""Each check of Vault, with exactly that broken which it looks for."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from kubernetes import client

from lab.lab import Lab
from lab.vault_server import unseal
from mesh_trust import VaultInstallArgs
from mesh_trust.helm_releases import RELEASE
from mesh_trust.kubeconfig import Kubeconfig
from mesh_trust.operations.finding import Finding
from mesh_trust.operations.preflight.vault_install import install_findings
from mesh_trust.settings import Connection
from tests.certificates import make
from tests.program.inventory import kubernetes_client, vault_client
from tests.program.program import Program
from tests.program.token_policy import limited_token, rules

from .command import MeshTrust
from .looked import failing, preflight
from .proxies import in_front_of
from .test_preflight_clusters import configured

TOKEN, PERMISSIONS, PATHS = (
    (f"vault-{check}", "Vault") for check in ("token", "permissions", "paths")
)


def test_an_address_at_which_nothing_is(undeployed: Program, mesh_trust: MeshTrust) -> None:
    """Vault elsewhere does not get to API servers on this machine's loopback either."""
    with configured(undeployed, vaultAddress="https://127.1.2.3:9"):
        told = preflight(mesh_trust)
    assert told.those("failed") == {("vault-reachable", "Vault")}
    assert {subject for _, subject in told.those("unknown")} == {"Vault"}

    with configured(undeployed, vaultAddress="https://vault.invalid:8200"):
        told = preflight(mesh_trust)
    assert told.those("failed") == {("vault-reachable", "Vault")}
    assert {
        ("kubernetes-host", "cluster east"),
        ("kubernetes-host", "cluster west"),
    } <= told.those("warning")


def test_a_sealed_vault(lab: Lab, undeployed: Program, mesh_trust: MeshTrust) -> None:
    assert not undeployed.deployed
    vault_client(lab).sys.seal()
    try:
        told = preflight(mesh_trust)
    finally:
        unseal(lab.directory, lab.environment()["VAULT_ADDR"])
    assert told.those("failed") == {("vault-unsealed", "Vault")}
    assert "mesh-trust vault unseal" in told.of("vault-unsealed", "Vault")["fix"]


@pytest.mark.parametrize(
    ("changed", "check"),
    [({"version": "1.10.11"}, "vault-version"), ({"server_time_utc": 1_700_000_000}, "clock")],
)
def test_what_vault_says_of_itself(
    lab: Lab,
    undeployed: Program,
    mesh_trust: MeshTrust,
    changed: dict[str, Any],
    check: str,
) -> None:
    """The real Vault, but for that."""

    def change(
        path: str, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/v1/sys/health"):
            body = json.dumps({**json.loads(body), **changed}).encode()
        return status, headers, body

    real = lab.environment()
    with (
        in_front_of(real["VAULT_ADDR"], change, real["VAULT_CACERT"]) as address,
        configured(undeployed, vaultAddress=address),
    ):
        assert failing(mesh_trust) == {(check, "Vault")}


@contextmanager
def token_of(lab: Lab, **fields: Any) -> Iterator[str]:
    vault = vault_client(lab)
    made = vault.auth.token.create(**{"policies": ["root"], "ttl": "1h", **fields})["auth"]
    yield made["client_token"]
    if fields.get("type") != "batch":
        vault.auth.token.revoke(made["client_token"])


def test_tokens(lab: Lab, undeployed: Program, mesh_trust: MeshTrust) -> None:
    """One that is good has its turn where its policy is looked at."""
    assert not undeployed.deployed
    told = preflight(mesh_trust, {"VAULT_TOKEN": ""})
    assert told.those("failed") == {TOKEN}
    assert told.those("unknown") == {PERMISSIONS, PATHS}
    assert "VAULT_TOKEN is not set" in told.of(*TOKEN)["seen"]
    told = preflight(mesh_trust, {"VAULT_TOKEN": "hvs.nobodys"})
    assert told.those("failed") == {TOKEN}
    assert "nobodys" not in told.output
    with token_of(lab, num_uses=50, ttl="5m") as token:
        told = preflight(mesh_trust, {"VAULT_TOKEN": token})
    assert told.those("failed") == {TOKEN}
    assert TOKEN in told.those("warning")
    vault = vault_client(lab)
    vault.sys.create_or_update_policy("stack", "\n".join(rules()))
    try:
        with token_of(lab, policies=["stack"], type="batch") as token:
            assert failing(mesh_trust, {"VAULT_TOKEN": token}) == {TOKEN}
    finally:
        vault.sys.delete_policy("stack")


def test_a_root_token_outside_development(undeployed: Program, mesh_trust: MeshTrust) -> None:
    with configured(undeployed, development=False):
        assert failing(mesh_trust) == {TOKEN}
        with limited_token(undeployed, rules()):
            assert failing(mesh_trust) == set()


@pytest.mark.parametrize("path", ["auth/token/create", "pki/config/*", "auth/kube-*"])
def test_a_rule_that_is_missing(undeployed: Program, mesh_trust: MeshTrust, path: str) -> None:
    """Without one of the rules of the documentation, which are enough."""
    less = [rule for rule in rules() if f'"{path}"' not in rule]
    assert len(less) == len(rules()) - 1
    with limited_token(undeployed, less):
        told = preflight(mesh_trust)
    assert told.those("failed") == {PERMISSIONS}
    lacking = [each["seen"] for each in told.findings if each["state"] == "failed"]
    assert all(path.rstrip("*") in each for each in lacking)


@pytest.mark.soak
def test_what_is_asked_for_is_enough(lab: Lab, undeployed: Program, mesh_trust: MeshTrust) -> None:
    """A policy of what preflight says is lacking, and of nothing else, takes an update through."""
    with limited_token(undeployed, ['path "none" { capabilities = ["read"] }']):
        told = preflight(mesh_trust)
        lacking = [each for each in told.findings if each["check"] == PERMISSIONS[0]]
        policy = [
            match[0]
            for each in lacking
            if (match := re.search(r'path "[^"]+" \{[^}]+\}', each["fix"]))
        ]
        assert len(policy) == len(lacking)
    undeployed.deployed = True
    with limited_token(undeployed, policy):
        assert failing(mesh_trust) == set()
        for command in ("up", "refresh", "destroy"):
            undeployed.run(command, "--yes", "--skip-preview")
    undeployed.deployed = False
    assert "pki/" not in vault_client(lab).sys.list_mounted_secrets_engines()["data"]


@contextmanager
def mounted(lab: Lab, kind: str, path: str) -> Iterator[None]:
    vault = vault_client(lab)
    vault.sys.enable_secrets_engine(kind, path=path)
    try:
        yield
    finally:
        vault.sys.disable_secrets_engine(path)


def test_what_is_there_already(lab: Lab, undeployed: Program, mesh_trust: MeshTrust) -> None:
    assert not undeployed.deployed
    vault = vault_client(lab)
    with ExitStack() as there:
        for kind, path in (("kv", "pki"), ("pki", "pki_int_east"), ("kv", "pki_int_west/kv")):
            there.enter_context(mounted(lab, kind, path))
        vault.sys.enable_auth_method("kubernetes", path="kube-east-mesh-auth")
        there.callback(vault.sys.disable_auth_method, "kube-east-mesh-auth")
        policy = "gen-int-ca-istio-west-mesh"
        vault.sys.create_or_update_policy(policy, 'path "a" {capabilities = []}')
        there.callback(vault.sys.delete_policy, policy)
        told = preflight(mesh_trust)
    assert told.those("failed") == {PATHS}
    bad = [each for each in told.findings if each["state"] == "failed"]
    expected = {
        "at pki is a mount of type kv, and none of type pki": "another name",
        "mount pki_int_east is there already, and not in the state": "docs/existing-setup.md",
        "auth mount kube-east-mesh-auth is there already": "docs/existing-setup.md",
        "mount pki_int_west/kv is in the way of pki_int_west": "another name",
        "policy gen-int-ca-istio-west-mesh is there already": "docs/existing-setup.md",
    }
    assert len(bad) == len(expected)
    for each, (seen, fix) in zip(bad, expected.items(), strict=True):
        assert each["seen"].startswith(seen)
        assert "path is already in use" in each["seen"] or "policy" in each["seen"]
        assert fix in each["fix"]


def test_a_mount_that_signs_for_others(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust
) -> None:
    vault = vault_client(lab)
    root = {"rootSource": "external", "rootSigningMount": "corporate", "rootOrganization": ""}
    signing = ("vault-signing-mount", "Vault")
    with mounted(lab, "pki", "corporate"):
        vault.sys.tune_mount_configuration(
            "corporate", default_lease_ttl="8760h", max_lease_ttl="87600h"
        )
        made = vault.write_data(
            "corporate/root/generate/internal",
            data={
                "common_name": "Corporate root",
                "ttl": "80000h",
                "key_type": "ec",
                "key_bits": 256,
            },
        )["data"]["certificate"]
        with configured(undeployed, rootCertificate=make().certificate_pem, **root):
            assert failing(mesh_trust) == {signing}
        with configured(undeployed, rootCertificate=made, **root):
            told = preflight(mesh_trust)
            assert told.those("failed") == set()
            assert signing in told.those("ok")


POD = ("vault-pod", "Vault")


def test_a_vault_to_be_installed(lab: Lab, undeployed: Program, mesh_trust: MeshTrust) -> None:
    core: Any = client.CoreV1Api(kubernetes_client(lab, "mgmt"))
    installed = {"mode": "dev", "chart": "./lab/charts/vault"}
    with configured(undeployed, vaultInstall=installed):
        told = preflight(mesh_trust, {"VAULT_ADDR": "", "VAULT_TOKEN": ""})
        assert told.those("failed") == set()
        assert "will install it as Helm release vault/vault" in told.of(*POD)["seen"]

        core.create_namespace({"metadata": {"name": "vault"}})
        labels = {"owner": "helm", "name": "vault", "status": "deployed", "version": "1"}
        kept = {"metadata": {"name": "sh.helm.release.v1.vault.v1", "labels": labels}}
        core.create_namespaced_secret("vault", {**kept, "type": "helm.sh/release.v1"})
        try:
            told = preflight(mesh_trust, {"VAULT_ADDR": "", "VAULT_TOKEN": ""})
        finally:
            # Before its namespace, which goes only after a while: others look for such a release.
            core.delete_namespaced_secret(kept["metadata"]["name"], "vault")
            core.delete_namespace("vault")
    assert told.those("failed") == {POD}
    assert "vaultAddress" in told.of(*POD)["fix"]


def test_a_vault_that_was_installed(lab: Lab) -> None:
    """What the guide's `pod vault-0 does not have a host assigned` is about: there are no nodes."""
    kubeconfig = str(lab.directory.kubeconfig)
    management = Connection(kubeconfig, "mgmt", Kubeconfig.read(kubeconfig))
    api = kubernetes_client(lab, "mgmt")
    core: Any = client.CoreV1Api(api)
    apps: Any = client.AppsV1Api(api)

    def found() -> Finding:
        (finding,) = install_findings(management, {"mode": "dev"}, {(RELEASE, "server/vault")})
        return finding

    def own() -> Finding:
        install: VaultInstallArgs = {"mode": "dev", "namespace": "server"}
        (finding,) = install_findings(management, install, {(RELEASE, "server/vault")})
        return finding

    assert found().state == "ok"
    core.create_namespace({"metadata": {"name": "server"}})
    try:
        assert own().state == "failed"
        assert "StatefulSet server/vault does not exist" in own().seen
        labels = {"app": "vault"}
        container = {"name": "vault", "image": "mesh-trust.lab/none:0"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"serviceName": "vault", "selector": {"matchLabels": labels}, "template": template}
        apps.create_namespaced_stateful_set("server", {"metadata": {"name": "vault"}, "spec": spec})
        deadline = time.monotonic() + 60
        while "has no node yet" not in own().seen:
            assert time.monotonic() < deadline, own()
            time.sleep(0.2)
        assert own().state == "failed"
        assert "kubectl --context mgmt get nodes" in str(own().fix)
    finally:
        core.delete_namespace("server")
