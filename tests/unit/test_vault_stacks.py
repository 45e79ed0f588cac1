"""Settings of a stack that installs Vault, and of one that sets the trust up in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mesh_trust.settings import InvalidConfigurationError, Settings
from mesh_trust.vault_install_args import check_vault_install_args

from .test_configuration_reference import declared, example
from .test_settings import VAULT_CA, environment, load

__all__ = ["environment"]

HA = {"mode": "ha"}
AWS = {"region": "eu-central-1", "kmsKeyId": "alias/vault"}
TRANSIT = {"address": "https://other:8200", "keyName": "unseal", "token": "hush"}
OUTPUTS = {
    "vaultAddress": "https://vault.example.com:8200",
    "vaultCaCertificate": VAULT_CA,
    "vaultAuditFile": "/vault/audit/audit.log",
}


def installing(install: Any, **config: Any) -> Settings:
    values: dict[str, Any] = {"clusters": [], "management": {"context": "west"}}
    return load(**{**values, "vaultInstall": install, **config})


def using(
    outputs: Mapping[str, Any] | Exception = OUTPUTS, stack: str = "prod-vault", **config: Any
) -> Settings:
    load(vaultAddress="https://other")

    def outputs_of(asked: str) -> Mapping[str, Any]:
        assert asked == stack
        if isinstance(outputs, Exception):
            raise outputs
        return outputs

    pulumi.runtime.set_all_config(
        {
            "mesh-trust:clusters": '[{"name": "east"}]',
            "mesh-trust:vaultStack": stack,
            **{f"mesh-trust:{key}": value for key, value in config.items()},
        }
    )
    return Settings.load(outputs_of=outputs_of)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_stack_that_installs_vault_has_no_clusters() -> None:
    settings = installing(HA)

    assert settings.vault.has_a_stack_of_its_own
    assert settings.clusters == ()
    assert {name: each.context for name, each in settings.connections.items()} == {
        "management": "west"
    }
    check_vault_install_args(settings.vault.install)


def test_the_committed_example_is_one(environment: Path) -> None:
    config = example("Pulumi.prod-vault.yaml")
    config |= {"management": {"context": "west"}, "kubeconfig": str(environment / "kubeconfig")}
    settings = load(**{"clusters": [], **config})

    assert settings.vault.has_a_stack_of_its_own
    assert settings.vault.install["seal"]["awskms"]["kms_key_id"] == "alias/vault-unseal"


def test_the_declared_defaults_say_nothing_of_the_trust() -> None:
    defaults = {key: entry["default"] for key, entry in declared().items()}
    settings = load(**{**defaults, "vaultInstall": HA, "management": {"context": "west"}})

    assert settings.vault.has_a_stack_of_its_own


def test_every_field_reaches_the_component() -> None:
    install = {
        "mode": "ha",
        "replicas": 5,
        "names": ["vault.example.com"],
        "resources": {"requests": {"memory": "256Mi"}},
        "dataStorage": {"size": "20Gi", "storageClass": "fast"},
        "auditStorage": {"storageClass": "slow"},
        "retention": "delete",
        "certificateLifetimeDays": 30,
        "certificateRenewalDays": 10,
        "serviceType": "LoadBalancer",
        "seal": {"awskms": AWS},
    }
    args = installing(install).vault.install

    assert args["data_storage"] == {"size": "20Gi", "storage_class": "fast"}
    assert args["audit_storage"] == {"storage_class": "slow"}
    assert args["seal"] == {"awskms": {"region": "eu-central-1", "kms_key_id": "alias/vault"}}
    assert (args["replicas"], args["names"], args["retention"]) == (
        5,
        ["vault.example.com"],
        "delete",
    )
    assert (args["certificate_lifetime_days"], args["certificate_renewal_days"]) == (30, 10)
    assert args["resources"] == {"requests": {"memory": "256Mi"}}


def test_credentials_that_are_encrypted_are_taken() -> None:
    settings = installing({"mode": "ha", "seal": {"transit": TRANSIT}}, secrets=["vaultInstall"])

    assert settings.vault.install["seal"]["transit"]["token"] == "hush"


@pytest.mark.parametrize(
    ("seal", "field"),
    [
        ({"transit": TRANSIT}, "vaultInstall.seal.transit.token"),
        (
            {"awskms": AWS | {"accessKeyId": "A", "secretAccessKey": "hush"}},
            "vaultInstall.seal.awskms.accessKeyId",
        ),
        (
            {"azurekeyvault": {"clientSecret": "hush"}},
            "vaultInstall.seal.azurekeyvault.clientSecret",
        ),
    ],
)
def test_credentials_in_clear_are_refused(seal: Any, field: str) -> None:
    with pytest.raises(InvalidConfigurationError, match="pulumi config set --secret") as refused:
        installing({"mode": "ha", "seal": seal})
    assert f"{field}: '…' is not valid; it stands in clear" in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("install", "message"),
    [
        ({"replicas": 4}, "^vaultInstall.replicas: 4 .*odd"),
        ({"replicas": 1}, "^vaultInstall.replicas: 1 .*3 or more"),
        ({"serviceType": "LoadBalancer"}, "^vaultInstall.names: None .*through its LoadBalancer"),
        ({"names": "vault"}, "^vaultInstall.names: 'vault' .*list of names"),
        ({"names": ["https://vault"]}, r"^vaultInstall.names\[0\]: 'https://vault' "),
        ({"retention": "keep"}, "^vaultInstall.retention: 'keep' .*retain, delete"),
        ({"dataStorage": {"size": "ten"}}, "^vaultInstall.dataStorage.size: 'ten' "),
        (
            {"dataStorage": {"storage": "fast"}},
            "^vaultInstall.dataStorage.storage: '…' .*size, storageClass",
        ),
        ({"auditStorage": []}, r"^vaultInstall.auditStorage: \[\] .*size, storageClass"),
        ({"resources": {"memory": "1Gi"}}, "^vaultInstall.resources.memory: .*requests or limits"),
        ({"certificateLifetimeDays": 30}, "^vaultInstall.certificateRenewalDays: 60 .*1 to 29"),
        ({"seal": {}}, "^vaultInstall.seal: None .*awskms, gcpckms, azurekeyvault, transit"),
        ({"seal": {"awskms": {"region": "eu"}}}, "^vaultInstall.seal.awskms.kmsKeyId: None "),
        (
            {"seal": {"awskms": AWS | {"kmsKey": "x"}}},
            "^vaultInstall.seal.awskms.kmsKey: '…' .*kmsKeyId",
        ),
        ({"logLevel": "loud"}, "^vaultInstall.logLevel: 'loud' "),
        (
            {"values": {"server": {"ha": {"replicas": 7}}}},
            "^vaultInstall.values.server.ha.replicas: '…' .*say it in replicas",
        ),
    ],
)
def test_a_wrong_value_is_named(install: Any, message: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=message):
        installing(HA | install)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidConfigurationError) as refused:
        installing(HA | {"replicas": 2, "retention": "keep", "seal": {"awskms": {}}})
    assert len(refused.value.lines) == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("clusters", [{"name": "east"}]),
        ("administrator", True),
        ("rootCommonName", "our root"),
        ("istiodAgent", {"installedBy": "helm"}),
        ("vaultNames", {"rootMount": "root"}),
    ],
)
def test_what_the_trust_is_to_be_is_said_in_its_own_stack(key: str, value: Any) -> None:
    with pytest.raises(
        InvalidConfigurationError, match=f"(?m)^ *{key}: '…' .*names this one in vaultStack"
    ):
        installing(HA, **{key: value})


def test_the_vault_of_another_stack_is_used(cache: Path) -> None:
    settings = using()

    vault = settings.vault
    assert vault.install == {
        "mode": "existing",
        "address": "https://vault.example.com:8200",
        "ca_certificate": VAULT_CA,
    }
    assert (vault.is_installed, vault.has_a_stack_of_its_own) == (False, False)
    assert (vault.ca_certificate, vault.audit_file) == (VAULT_CA, "/vault/audit/audit.log")
    assert vault.ca_file is not None
    assert vault.ca_file.is_relative_to(cache)
    assert vault.ca_file.read_text() == VAULT_CA
    # The same in every update, and mended where it was changed.
    vault.ca_file.write_text("another")
    again = using().vault.ca_file
    assert (again, vault.ca_file.read_text()) == (vault.ca_file, VAULT_CA)


def test_a_full_name_is_one_as_well() -> None:
    assert using(stack="acme/mesh-trust/prod-vault").vault.audit_file is not None


def test_a_vault_without_tls_or_an_audit_log_has_none() -> None:
    vault = using({"vaultAddress": "https://v"}).vault

    assert (vault.ca_file, vault.ca_certificate, vault.audit_file) == (None, None, None)


@pytest.mark.parametrize(
    ("outputs", "stack", "config", "message"),
    [
        (OUTPUTS, "a b", {}, "^vaultStack: 'a b' .*organization/project/stack"),
        (OUTPUTS, "acme/prod-vault", {}, "^vaultStack: 'acme/prod-vault' "),
        (
            pulumi.RunError("unknown stack"),
            "prod-vault",
            {},
            "^vaultStack: 'prod-vault' .*unknown stack",
        ),
        ({}, "prod-vault", {}, "^vaultStack: 'prod-vault' .*run `pulumi up --stack prod-vault`"),
        (
            OUTPUTS | {"vaultCaCertificate": "x"},
            "prod-vault",
            {},
            "^vaultStack: 'prod-vault' .*PEM",
        ),
        (OUTPUTS, "prod-vault", {"vaultAddress": "https://v"}, "^vaultAddress: .*or vaultStack"),
        (OUTPUTS, "prod-vault", {"vaultCaFile": "ca.pem"}, "^vaultCaFile: .*or vaultStack"),
    ],
)
def test_a_stack_that_cannot_be_used_is_named(
    outputs: Any, stack: str, config: Any, message: str
) -> None:
    with pytest.raises(InvalidConfigurationError, match=message):
        using(outputs, stack, **config)


def test_a_vault_is_installed_or_another_stacks_but_not_both() -> None:
    with pytest.raises(InvalidConfigurationError, match=r"^vaultStack: .*or vaultInstall"):
        load(
            development=True,
            management={"context": "west"},
            vaultInstall={"mode": "dev"},
            vaultStack="prod-vault",
        )


def test_commands_name_a_vault_as_they_reach_it(tmp_path: Path) -> None:
    commands = using().vault.commands
    assert commands is not None
    assert commands.unseal == "`mesh-trust --stack prod-vault vault unseal --keys-file FILE`"
    assert commands.status == "`mesh-trust --stack prod-vault vault status`"
    # The silent ones are asked through their cluster, and not at the address that is silent.
    assert commands.status_of_the_silent == commands.status

    file = tmp_path / "the CA.pem"
    file.write_text(VAULT_CA)
    commands = load(vaultAddress="https://other", vaultCaFile=str(file)).vault.commands
    assert commands is not None
    ca_option = f"--ca-file '{file}'"
    assert commands.unseal == (
        f"`mesh-trust vault unseal --address https://other {ca_option} --keys-file FILE`"
    )
    assert commands.status == f"`mesh-trust vault status --address https://other {ca_option}`"
    assert "vault status --context NAME" in commands.status_of_the_silent

    assert installing(HA).vault.commands is None
