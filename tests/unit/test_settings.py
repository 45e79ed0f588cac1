import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pulumi.runtime
import pytest

from mesh_trust.settings import InvalidConfigurationError, Settings
from mesh_trust.settings.istio import Istio

from .conftest import make_certificate

VAULT_CA = make_certificate("Vault's own CA", path_length=0)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A kubeconfig with the contexts east and west, and a Vault, as a user's shell has them."""
    (tmp_path / "ca.pem").write_text(VAULT_CA)
    document = {
        "contexts": [
            {"name": name, "context": {"cluster": name}}
            for name in ("east", "west", "we_st", "path")
        ],
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": "https://proxy/path" if name == "path" else f"https://{name}:6443",
                    "certificate-authority": "ca.pem",
                },
            }
            for name in ("east", "west", "we_st", "path")
        ],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(document))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("VAULT_ADDR", "https://vault:8200")
    monkeypatch.setenv("VAULT_CACERT", str(tmp_path / "ca.pem"))
    return tmp_path


def load(*, secrets: Collection[str] = (), **config: Any) -> Settings:
    values = {"clusters": [{"name": "east"}, {"name": "west"}], **config}
    pulumi.runtime.set_all_config(
        {
            f"mesh-trust:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in values.items()
        },
        [f"mesh-trust:{key}" for key in secrets],
    )
    pulumi.runtime.set_mocks(_NoResources(), project="mesh-trust")
    return Settings.load()


class _NoResources(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        raise AssertionError(f"{args.name} was registered")

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"{args.token} was called")


def test_the_defaults(environment: Path) -> None:
    settings = load()

    assert settings.development is False
    assert settings.management is None
    assert list(settings.connections) == ["east", "west"]
    for name, connection in settings.connections.items():
        assert connection.kubeconfig == str(environment / "kubeconfig")
        assert connection.context == name
    assert settings.root.source == "generated"
    assert settings.root.certificate_args == {
        "common_name": "mesh-trust root",
        "organization": None,
        "organizational_unit": None,
        "country": None,
        "province": None,
        "locality": None,
        "key_algorithm": "RSA-4096",
        "lifetime_days": 3650,
        "path_length": 1,
    }
    assert settings.root.replaces is None
    assert settings.vault.install == {
        "mode": "existing",
        "address": "https://vault:8200",
        "ca_certificate": VAULT_CA,
    }
    assert settings.vault.is_installed is False
    assert settings.vault.ca_certificate == VAULT_CA
    assert settings.vault.intermediate_lifetime_days == 365
    assert [cluster.name for cluster in settings.clusters] == ["east", "west"]
    east = settings.clusters[0]
    assert east.istio == Istio(("default",), "istio-system", None, "clusters[0]")
    assert east.labels == {"cluster": "east"}
    assert east.api_server is not None
    assert (east.api_server.address, east.api_server.ca_certificate) == (
        "https://east:6443",
        VAULT_CA,
    )


def test_configuration_wins_over_the_environment(environment: Path) -> None:
    (environment / "other").write_text((environment / "kubeconfig").read_text())
    (environment / "other.pem").write_text(other_ca := make_certificate("other"))
    settings = load(
        development=True,
        kubeconfig=str(environment / "other"),
        vaultAddress="http://other",
        vaultCaFile=str(environment / "other.pem"),
        rootCommonName="our root",
        rootOrganization="we",
        rootLifetimeDays=20,
        intermediateLifetimeDays=10,
        clusters=[
            {
                "name": "a",
                "context": "east",
                "istioRevisions": ["1-20"],
                "istioNamespace": "istio",
                "istiodServiceAccount": "istiod-service-account",
                "kubernetesHost": "https://lb",
                "clusterLabels": {"region": "eu"},
            }
        ],
    )

    assert settings.development is True
    assert settings.connections["a"].kubeconfig == str(environment / "other")
    assert settings.vault.install["address"] == "http://other"
    assert settings.vault.ca_file == environment / "other.pem"
    assert settings.vault.ca_certificate == other_ca
    root = settings.root.certificate_args
    assert (root["common_name"], root["organization"]) == ("our root", "we")
    assert (root["lifetime_days"], settings.vault.intermediate_lifetime_days) == (20, 10)
    (cluster,) = settings.clusters
    assert (cluster.name, cluster.connection.context) == ("a", "east")
    assert cluster.api_server is not None
    assert cluster.api_server.address == "https://lb"
    assert cluster.labels == {"region": "eu"}
    assert cluster.istio == Istio(("1-20",), "istio", "istiod-service-account", "clusters[0]")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"development": "perhaps"}, "^development: 'perhaps' .*true or false"),
        ({"kubeconfig": "a:b"}, "^kubeconfig: 'a:b' .*name one file"),
        ({"kubeconfig": "/absent"}, "^kubeconfig: '/absent' .*No such file"),
        ({"vaultAddress": "vault:8200"}, "^vaultAddress: 'vault:8200' "),
        ({"vaultAddress": "http://vault"}, "^vaultAddress: .*plain HTTP is for development only"),
        ({"vaultAddress": "https://vault/v1"}, "^vaultAddress: "),
        ({"vaultCaFile": "/absent.pem"}, "^vaultCaFile: '/absent.pem' .*No such file"),
        ({"vaultCaFile": "/dev/null"}, "^vaultCaFile: '/dev/null' .*PEM file of certificates"),
        ({"rootLifetimeDays": "long"}, "^rootLifetimeDays: 'long' "),
        ({"rootLifetimeDays": 0}, "^rootLifetimeDays: 0 "),
        ({"intermediateLifetimeDays": -1}, "^intermediateLifetimeDays: -1 "),
        (
            {"rootLifetimeDays": 30, "intermediateLifetimeDays": 30},
            "^intermediateLifetimeDays: 30 .*must not outlive its root",
        ),
        ({"clusters": []}, "^clusters: .*at least one"),
        ({"clusters": "east"}, "^clusters: .*at least one"),
        ({"clusters": {"name": "east"}}, "^clusters: .*at least one"),
        ({"clusters": ["east"]}, r"^clusters\[0\]: 'east' "),
        ({"clusters": [{}]}, r"^clusters\[0\]\.name: None "),
        ({"clusters": [{"name": "East"}]}, r"^clusters\[0\]\.name: 'East' "),
        ({"clusters": [{"name": 7}]}, r"^clusters\[0\]\.name: 7 "),
        ({"clusters": [{"name": "east"}, {"name": "east"}]}, r"^clusters\[1\]\.name: 'east' "),
        (
            {"clusters": [{"name": "east", "contxt": "east"}]},
            r"^clusters\[0\]\.contxt \(cluster east\): .*use context, or leave it out",
        ),
        ({"clusters": [{"name": "north"}]}, "^context in .*: 'north' .*east, path, we_st, west"),
        (
            {"clusters": [{"name": "east"}, {"name": "other", "context": "east"}]},
            r"^clusters\[1\]\.context \(cluster other\): 'east' .*that of east",
        ),
        (
            {
                "clusters": [
                    {"name": "east"},
                    {"name": "west", "clusterLabels": {"cluster": "east"}},
                ]
            },
            r"^clusters\[1\]\.clusterLabels \(cluster west\): .*tell it from east",
        ),
        (
            {
                "clusters": [
                    {"name": "east", "clusterLabels": {"a": "1", "b": "2"}},
                    {"name": "west", "clusterLabels": {"a": "1"}},
                ]
            },
            r"^clusters\[1\]\.clusterLabels \(cluster west\): .*tell it from east",
        ),
        ({"clusters": [{"name": "path"}]}, r"^server of context path in .*scheme, host and port"),
        ({"rootCommonName": "x" * 65}, "^rootCommonName: "),
        (
            {"clusters": [{"name": "east", "istioRevisions": ["r" * 60]}]},
            r"^clusters\[0\]\.istioRevisions \(cluster east\): 'istiod-r",
        ),
        (
            {"clusters": [{"name": "east", "istiodServiceAccount": "*"}]},
            r"^clusters\[0\]\.istiodServiceAccount \(cluster east\): ",
        ),
        (
            {"clusters": [{"name": "a", "context": "we_st"}]},
            r"^clusters\[0\]\.context \(cluster a\): .*we-st",
        ),
        (
            {"clusters": [{"name": "east", "istioRevisions": ["1.20"]}]},
            r"^clusters\[0\]\.istioRevisions \(cluster east\): '1\.20' ",
        ),
        (
            {"clusters": [{"name": "east", "kubernetesHost": "http://lb"}]},
            r"^clusters\[0\]\.kubernetesHost \(cluster east\): 'http://lb' ",
        ),
        (
            {"clusters": [{"name": "east", "clusterLabels": {}}]},
            r"^clusters\[0\]\.clusterLabels \(cluster east\): \{\} ",
        ),
        (
            {"clusters": [{"name": "east", "clusterLabels": ["a"]}]},
            r"^clusters\[0\]\.clusterLabels \(cluster east\): \['a'\] ",
        ),
        (
            {"clusters": [{"name": "east", "clusterLabels": {"a": "no label"}}]},
            r"^clusters\[0\]\.clusterLabels \(cluster east\): \{'a': 'no label'\} ",
        ),
        (
            {"clusters": [{"name": "east", "clusterLabels": {"a": 1}}]},
            r"^clusters\[0\]\.clusterLabels\.a \(cluster east\): 1 .*quotes",
        ),
    ],
)
def test_a_wrong_value_is_named(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=message):
        load(**config)


def test_a_missing_vault_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_ADDR")
    with pytest.raises(
        InvalidConfigurationError, match=r"^vaultAddress: None .*VAULT_ADDR.*vaultInstall"
    ):
        load()


def test_without_a_ca_file_the_systems_certificates_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_CACERT")
    settings = load()

    assert settings.vault.ca_certificate is None
    assert "ca_certificate" not in settings.vault.install


CANARY = "a-canary-that-must-not-show"


@pytest.mark.parametrize(
    "clusters",
    [
        {"east": {"kubeconfig": CANARY}},
        [[CANARY]],
        [{"name": "east", "kubeconfig": CANARY}],
        [{"name": "east", "kubeconfig": {"users": [CANARY]}}],
    ],
)
def test_values_of_a_key_with_a_secret_are_not_shown(clusters: Any) -> None:
    with pytest.raises(InvalidConfigurationError) as refused:
        load(clusters=clusters, secrets=["clusters"])
    assert CANARY not in str(refused.value)


def test_a_value_that_was_refused_is_not_compared_with_others() -> None:
    for config in (
        {"intermediateLifetimeDays": 0, "rootLifetimeDays": 300},
        {"clusterCaLifetimeDays": 0, "signingCa": "cluster", "rootLifetimeDays": 1000},
    ):
        with pytest.raises(InvalidConfigurationError) as refused:
            load(rootPathLength=2, **config)
        assert len(refused.value.lines) == 1


def test_where_vault_asks_nobody_it_needs_no_way_to_the_cluster(environment: Path) -> None:
    keys = {"reviewerMode": "jwt", "jwksUrl": "https://keys", "issuer": "https://issuer"}
    (cluster,) = load(clusters=[{"name": "path", **keys}]).clusters
    assert cluster.api_server is None
    assert environment


def test_the_environments_kubeconfig_is_looked_at_only_where_it_is_used(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = str(environment / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", "/a:/b")
    assert load(clusters=[{"name": "east", "kubeconfig": own}])
    with pytest.raises(InvalidConfigurationError, match=r"^kubeconfig: '/a:/b' "):
        load(clusters=[{"name": "east", "kubeconfig": own}, {"name": "west"}])


@pytest.mark.parametrize("path", ["~nobody-of-this-name/ca.pem", "/a\0b"])
def test_a_path_that_is_none_is_one_line(path: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=r"^vaultCaFile: "):
        load(vaultCaFile=path)
