"""VaultInstall in modes `standalone` and `ha`, as it is registered."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mesh_trust import InvalidInputError, VaultInstall
from mesh_trust.readiness import Ready
from mesh_trust.vault_install_args import objects_of, server_release_values

from .conftest import VAULT_ADDRESS, Recorder, run, secret

RELEASE = "kubernetes:helm.sh/v3:Release"
NAMESPACE = "kubernetes:core/v1:Namespace"
SECRET = "kubernetes:core/v1:Secret"
CANARY = "canary-of-the-seal"
TRANSIT = {"transit": {"address": "https://other:8200", "key_name": "unseal", "token": CANARY}}


@pytest.fixture(autouse=True)
def cluster(recorder: Recorder) -> None:
    recorder.computed[NAMESPACE] = {"metadata": {"name": "kube-system", "uid": "the-uid"}}
    recorder.computed["tls:index/privateKey:PrivateKey"] = {"privateKeyPem": "key"}
    recorder.computed["tls:index/selfSignedCert:SelfSignedCert"] = {"certPem": "ca"}
    recorder.computed["tls:index/certRequest:CertRequest"] = {"certRequestPem": "request"}
    recorder.computed["tls:index/locallySignedCert:LocallySignedCert"] = {"certPem": "certificate"}


def installed(mode: str, **args: Any) -> list[Any]:
    def program() -> pulumi.Output[Any]:
        vault = VaultInstall("vault", {"mode": mode, **args})  # type: ignore[typeddict-item]
        return pulumi.Output.all(
            vault.address,
            vault.ca_certificate,
            vault.service_name,
            vault.namespace,
            vault.audit_file,
            vault.root_token,
        )

    outputs: list[Any] = run(program)
    return outputs


def released(recorder: Recorder) -> dict[str, Any]:
    values: dict[str, Any] = recorder.of_type(RELEASE)["vault-release"]["values"]
    return values


@pytest.mark.parametrize(("mode", "service"), [("standalone", "vault"), ("ha", "vault-active")])
def test_its_outputs_are_what_another_stack_needs(mode: str, service: str) -> None:
    assert installed(mode) == [
        *(VAULT_ADDRESS, "ca", service, "vault", "/vault/audit/audit.log", None)
    ]


def test_one_server(recorder: Recorder) -> None:
    installed("standalone")
    values = released(recorder)

    assert values["global"] == {"tlsDisable": False}
    server = values["server"]
    assert (server["logLevel"], server["service"]) == ("info", {"type": "ClusterIP"})
    assert server["standalone"]["enabled"] is True
    assert 'storage "raft"' in server["standalone"]["config"]
    assert "retry_join" not in server["standalone"]["config"]
    assert "ha" not in server
    assert server["dataStorage"] == {"enabled": True, "size": "10Gi", "mountPath": "/vault/data"}
    assert server["auditStorage"] == {"enabled": True, "size": "10Gi", "mountPath": "/vault/audit"}
    assert server["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"


def test_a_cluster(recorder: Recorder) -> None:
    installed("ha", replicas=5)
    server = released(recorder)["server"]

    assert server["ha"]["enabled"] is True
    assert (server["ha"]["replicas"], server["ha"]["raft"]["setNodeId"]) == (5, True)
    configuration = server["ha"]["raft"]["config"]
    assert configuration.count("retry_join") == 5
    assert "https://vault-4.vault-internal:8200" in configuration
    assert 'service_registration "kubernetes"' in configuration
    # A server that is sealed gets no requests.
    assert server["service"]["publishNotReadyAddresses"] is False
    assert server["service"]["standby"] == {"enabled": False}
    assert "standalone" not in server


@pytest.mark.parametrize(
    ("args", "address"),
    [
        (
            {"namespace": "secrets"},
            "https://$(VAULT_K8S_POD_NAME).vault-internal.secrets.svc:8200",
        ),
        ({"names": ["vault.example.com"]}, "https://vault.example.com:8200"),
        (
            {
                "names": ["vault.example.com", "other.example.com"],
                "values": {"server": {"service": {"port": 443}}},
            },
            "https://vault.example.com:443",
        ),
    ],
)
def test_a_server_that_leads_is_called_what_clients_get_to(
    recorder: Recorder, args: Any, address: str
) -> None:
    """One that cannot pass a request on sends the client there."""
    installed("ha", **args)
    assert released(recorder)["server"]["ha"]["apiAddr"] == address


def test_every_argument_reaches_the_release(recorder: Recorder) -> None:
    installed(
        "ha",
        resources={"requests": {"memory": "256Mi"}},
        data_storage={"size": "20Gi", "storage_class": "fast"},
        audit_storage={"size": "5Gi"},
        retention="delete",
        service_type="LoadBalancer",
        names=["vault.example.com"],
        log_level="warn",
        values={"server": {"affinity": "", "volumes": [{"name": "more"}]}},
    )
    server = released(recorder)["server"]

    assert server["resources"] == {"requests": {"memory": "256Mi"}}
    assert (server["dataStorage"]["size"], server["dataStorage"]["storageClass"]) == (
        "20Gi",
        "fast",
    )
    assert server["auditStorage"]["size"] == "5Gi"
    assert server["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete"
    assert (server["service"]["type"], server["logLevel"]) == ("LoadBalancer", "warn")
    assert server["affinity"] == ""
    # A user's own beside ours.
    assert [each["name"] for each in server["volumes"]] == ["tls", "more"]


def test_the_servers_find_their_certificate_in_a_secret(recorder: Recorder) -> None:
    installed("ha", names=["vault.example.com"])
    made = recorder.of_type(SECRET)["vault-tls-secret"]

    assert made["metadata"] == {"name": "vault-server-tls", "namespace": "vault"}
    assert made["type"] == "kubernetes.io/tls"
    encoded = {
        key: base64.b64encode(value.encode()).decode()
        for key, value in (("tls.crt", "certificate"), ("tls.key", "key"), ("ca.crt", "ca"))
    }
    assert made["data"] == secret(encoded)
    [volume] = released(recorder)["server"]["volumes"]
    assert volume["secret"]["secretName"] == "vault-server-tls"
    [request] = recorder.of_type("tls:index/certRequest:CertRequest").values()
    assert {"vault.example.com", "*.vault-internal", "localhost"} <= set(request["dnsNames"])


@pytest.mark.parametrize("credentials", [CANARY, "later"])
def test_what_unseals_it_is_in_a_secret_only(recorder: Recorder, credentials: str) -> None:
    seal: Any = TRANSIT
    if credentials == "later":
        seal = {"transit": TRANSIT["transit"] | {"token": pulumi.Output.from_input(CANARY)}}
    installed("ha", seal=seal)
    made = recorder.of_type(SECRET)["vault-seal-secret"]

    assert made["data"] == secret({"VAULT_TOKEN": base64.b64encode(CANARY.encode()).decode()})
    server = released(recorder)["server"]
    assert server["extraSecretEnvironmentVars"] == [
        {"envName": "VAULT_TOKEN", "secretName": "vault-seal", "secretKey": "VAULT_TOKEN"}
    ]
    assert 'seal "transit"' in server["ha"]["raft"]["config"]
    elsewhere = [each.inputs for each in recorder.registered if each.name != "vault-seal-secret"]
    assert CANARY not in json.dumps(elsewhere, default=str)


def test_a_seal_without_credentials_needs_no_secret(recorder: Recorder) -> None:
    installed("standalone", seal={"awskms": {"region": "eu", "kms_key_id": "alias/vault"}})

    assert set(recorder.of_type(SECRET)) == {"vault-tls-secret"}
    assert 'seal "awskms"' in released(recorder)["server"]["standalone"]["config"]


@pytest.mark.parametrize(
    ("mode", "args", "is_kept"),
    [
        ("dev", {}, False),
        ("ha", {}, True),
        ("ha", {"retention": "retain"}, True),
        ("ha", {"retention": "delete"}, False),
        ("standalone", {}, True),
    ],
)
def test_the_namespace_stays_with_the_volumes_in_it(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, mode: str, args: Any, is_kept: bool
) -> None:
    recorder.computed["random:index/randomPassword:RandomPassword"] = {"result": "a-token"}
    seen: list[pulumi.ResourceOptions] = []
    register = pulumi.runtime.resource.register_resource

    def spy(res: Any, kind: str, name: str, custom: bool, remote: bool, *rest: Any) -> Any:
        if kind == NAMESPACE:
            seen.extend(each for each in rest if isinstance(each, pulumi.ResourceOptions))
        return register(res, kind, name, custom, remote, *rest)

    monkeypatch.setattr("pulumi.resource.register_resource", spy)
    installed(mode, **args)
    assert [bool(each.retain_on_delete) for each in seen] == [is_kept]


@pytest.mark.parametrize(
    ("args", "address"),
    [
        ({"mode": "ha"}, "https://vault-active.vault.svc:8200"),
        ({"mode": "ha", "namespace": "secrets"}, "https://vault-active.secrets.svc:8200"),
        ({"mode": "standalone"}, "https://vault.vault.svc:8200"),
        (
            {"mode": "standalone", "values": {"server": {"service": {"port": 443}}}},
            "https://vault.vault.svc:443",
        ),
    ],
)
def test_its_address_inside(args: Any, address: str) -> None:
    assert objects_of(args).address_inside == address


@pytest.mark.parametrize(
    ("names", "address"),
    [
        (["vault.example.com", "192.0.2.7"], "https://vault.example.com:8200"),
        (["2001:db8::7"], "https://[2001:db8::7]:8200"),
        ([], None),
    ],
)
def test_its_address_outside(names: list[str], address: str | None) -> None:
    assert objects_of({"mode": "ha", "names": names}).address_outside == address


def test_what_people_have_to_do_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(
        "mesh_trust.vault_install.VaultInCluster.look",
        lambda it: Ready(VAULT_ADDRESS, f"run `{it.command} vault init`"),
    )
    installed("ha")
    assert [each.getMessage() for each in caplog.records] == [
        "run `mesh-trust --stack unit vault init`"
    ]


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"mode": "standalone", "replicas": 3}, "replicas"),
        ({"mode": "dev", "names": ["vault"]}, "names"),
        ({"mode": "dev", "seal": TRANSIT}, "seal"),
        ({"mode": "ha", "address": "https://vault"}, "address"),
        ({"mode": "ha", "replicas": 1}, "replicas"),
        ({"mode": "ha", "replicas": 4}, "replicas"),
        ({"mode": "ha", "replicas": "3"}, "replicas"),
        ({"mode": "ha", "service_type": "LoadBalancer"}, "names"),
        ({"mode": "ha", "service_type": "NodePort"}, "names"),
        ({"mode": "ha", "values": {"server": {"service": {"type": "NodePort"}}}}, "names"),
        ({"mode": "ha", "names": ["https://vault"]}, r"names\[0\]"),
        ({"mode": "ha", "retention": "keep"}, "retention"),
        ({"mode": "ha", "data_storage": "10Gi"}, "data_storage"),
        ({"mode": "ha", "data_storage": {"sise": "10Gi"}}, "data_storage.sise"),
        ({"mode": "ha", "data_storage": {"size": "ten"}}, "data_storage.size"),
        ({"mode": "ha", "data_storage": {"size": "0Gi"}}, "data_storage.size"),
        ({"mode": "ha", "audit_storage": {"size": 10}}, "audit_storage.size"),
        ({"mode": "ha", "audit_storage": {"storage_class": "A b"}}, "audit_storage.storage_class"),
        ({"mode": "ha", "resources": ["1Gi"]}, "resources"),
        ({"mode": "ha", "resources": {"claims": {}}}, "resources.claims"),
        ({"mode": "ha", "resources": {"limits": "1Gi"}}, "resources.limits"),
        ({"mode": "ha", "resources": {"limits": {"memory": "1 GB"}}}, "resources.limits.memory"),
        ({"mode": "ha", "certificate_lifetime_days": 0}, "certificate_lifetime_days"),
        ({"mode": "ha", "certificate_renewal_days": 365}, "certificate_renewal_days"),
        ({"mode": "ha", "seal": {}}, "seal"),
        ({"mode": "ha", "log_level": "loud"}, "log_level"),
        ({"mode": "ha", "values": {"server": {"volumes": {}}}}, "values.server.volumes"),
        (
            {"mode": "ha", "values": {"server": {"ha": {"replicas": 7}}}},
            "values.server.ha.replicas",
        ),
        (
            {"mode": "ha", "values": {"server": {"ha": {"raft": {"config": "x"}}}}},
            "values.server.ha.raft.config",
        ),
        ({"mode": "ha", "values": {"server": {"dev": {"enabled": True}}}}, "values.server.dev."),
        ({"mode": "ha", "values": {"global": {"tlsDisable": True}}}, "values.global.tlsDisable"),
        (
            {"mode": "ha", "values": {"server": {"service": {"active": {"enabled": False}}}}},
            "values.server.service.active.enabled",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_registered(
    recorder: Recorder, args: Any, field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}") as refused:
        VaultInstall("vault", args)
    assert CANARY not in str(refused.value)
    assert recorder.registered == []


@pytest.mark.parametrize(
    "args",
    [
        {"replicas": 3},
        {"replicas": 7},
        {"service_type": "LoadBalancer", "names": ["192.0.2.7"]},
        {"data_storage": {}},
        {"resources": {"limits": {"cpu": 2, "memory": "1.5Gi"}, "requests": {"cpu": "500m"}}},
        {"certificate_renewal_days": 364},
        {"values": {"server": {"ha": {"disruptionBudget": {"maxUnavailable": 2}}}}},
        {"values": {"server": {"volumes": []}}},
        {"values": {"server": {"service": {"standby": {"enabled": True}}}}},
    ],
)
def test_its_neighbour_passes(args: Any) -> None:
    assert server_release_values({"mode": "ha", **args}, tls_secret="t", seal_secret=None)  # type: ignore[typeddict-item]


def test_a_changed_certificate_is_signalled_and_another_look_is_not(tmp_path: Path) -> None:
    """The script that runs beside Vault, in a shell, with its waits cut short."""
    values = server_release_values({"mode": "ha"}, tls_secret="t", seal_secret=None)
    [shell, option, script] = values["server"]["postStart"]
    (tmp_path / "tls").mkdir()
    certificate = tmp_path / "tls" / "tls.crt"
    certificate.write_text("first")
    signals = tmp_path / "signals"
    vault = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, sys, time\n"
            f"signal.signal(signal.SIGHUP, lambda *_: open({str(signals)!r}, 'a').write('x'))\n"
            "print('ready', flush=True)\n"
            "while True: time.sleep(0.05)",
        ],
        stdout=subprocess.PIPE,
    )
    assert vault.stdout is not None
    vault.stdout.readline()
    (tmp_path / "pidof").write_text(f"#!/bin/sh\necho {vault.pid}\n")
    # It waits until somebody writes to the first fifo, and says by the second that it has read.
    (tmp_path / "sleep").write_text(
        f"#!/bin/sh\nread -r _ < {tmp_path}/turn\necho > {tmp_path}/turned\n"
    )
    for name in ("pidof", "sleep"):
        (tmp_path / name).chmod(0o755)
    subprocess.run(["mkfifo", str(tmp_path / "turn"), str(tmp_path / "turned")], check=True)
    script = script.replace("/vault/tls/", f"{tmp_path}/tls/").replace(" &\n", "\n")
    watcher = subprocess.Popen(
        [shell, option, script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, start_new_session=True
    )

    def turn() -> None:
        (tmp_path / "turn").write_text("go\n")
        (tmp_path / "turned").read_text()

    try:
        turn()
        turn()  # the first look is over
        assert not signals.exists()
        certificate.write_text("second")
        turn()
        turn()
        turn()
        deadline = time.monotonic() + 20
        while not signals.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert signals.read_text() == "x"
    finally:
        # With the shell within.
        os.killpg(watcher.pid, signal.SIGKILL)
        vault.kill()
        watcher.wait()
        vault.communicate()
