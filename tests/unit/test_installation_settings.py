import re
from pathlib import Path
from typing import Any

import pulumi.runtime
import pytest
import yaml

from mesh_trust import VaultInstall
from mesh_trust.settings import InvalidConfigurationError, Settings
from mesh_trust.settings.installation import FIELDS
from mesh_trust.vault_install_args import EXISTING_TIMEOUT_SECONDS, INSTALL_TIMEOUT_SECONDS

from .conftest import Recorder, run
from .test_configuration_reference import CHECKOUT
from .test_settings import environment, load

__all__ = ["environment"]

INSTALL = {"mode": "dev"}
_OF_SERVERS = {
    *("auditStorage", "certificateLifetimeDays", "certificateRenewalDays", "dataStorage", "names"),
    *("replicas", "resources", "retention", "seal"),
}
MANAGEMENT = {"context": "west"}


def loaded(install: Any, **config: Any) -> Settings:
    clusters = [{"name": "east"}]
    values = {"development": True, "clusters": clusters, "management": MANAGEMENT}
    return load(**{**values, "vaultInstall": install, **config})


def contexts(settings: Settings) -> dict[str, str]:
    return {name: connection.context for name, connection in settings.connections.items()}


def test_an_installation_with_the_defaults(environment: Path) -> None:
    settings = loaded(INSTALL)

    assert settings.vault.install == {
        "mode": "dev",
        "context": "west",
        "kubeconfig": str(environment / "kubeconfig"),
    }
    assert settings.vault.is_installed is True
    assert contexts(settings) == {"east": "east", "management": "west"}
    # $VAULT_ADDR and $VAULT_CACERT are another Vault's.
    assert (settings.vault.ca_file, settings.vault.ca_certificate) == (None, None)


def test_an_installation_with_everything(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").touch()
    monkeypatch.chdir(tmp_path)
    values = {"server": {"resources": {"requests": {"memory": "1Gi"}}}}
    more = {
        "namespace": "secrets",
        "serviceType": "NodePort",
        "logLevel": "info",
        "timeoutSeconds": 60,
        "values": values,
    }

    settings = loaded({**INSTALL, **more, "chart": "./chart"})
    other = loaded({**INSTALL, "repository": "https://charts", "chartVersion": "0.30.0"})

    assert settings.vault.install == {
        "mode": "dev",
        "context": "west",
        "kubeconfig": str(environment / "kubeconfig"),
        "namespace": "secrets",
        "chart": "./chart",
        "service_type": "NodePort",
        "log_level": "info",
        "timeout_seconds": 60,
        "values": values,
    }
    assert other.vault.install["repository"] == "https://charts"
    assert other.vault.install["chart_version"] == "0.30.0"


@pytest.mark.parametrize(
    ("page", "mode", "fields"),
    [
        ("vault-in-the-cluster.md", "dev", set(FIELDS) - _OF_SERVERS),
        ("vault-servers.md", "ha", set(FIELDS) - {"seal"}),
    ],
)
def test_the_page_about_it_shows_every_field_with_its_default(
    recorder: Recorder, page: str, mode: str, fields: set[str]
) -> None:
    page = (CHECKOUT / "docs" / page).read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    every_field = yaml.safe_load(re.sub(r"(?m)^    # ", "    ", example))
    shown = every_field["config"]["mesh-trust:vaultInstall"]
    assert set(shown) == fields

    def releases(install: dict[str, Any]) -> Any:
        clusters = [{"name": "east"}] if mode == "dev" else []
        args = loaded(install, clusters=clusters).vault.install
        pulumi.runtime.set_mocks(recorder, project="mesh-trust", stack="unit", preview=False)
        recorder.registered.clear()
        recorder.computed["kubernetes:core/v1:Namespace"] = {"metadata": {"uid": "the-uid"}}
        recorder.computed["random:index/randomPassword:RandomPassword"] = {"result": "a-token"}
        for made, output in (
            ("privateKey:PrivateKey", "privateKeyPem"),
            ("selfSignedCert:SelfSignedCert", "certPem"),
            ("certRequest:CertRequest", "certRequestPem"),
            ("locallySignedCert:LocallySignedCert", "certPem"),
        ):
            recorder.computed[f"tls:index/{made}"] = {output: "PEM"}
        run(lambda: VaultInstall("vault", args).address)
        return recorder.of_type("kubernetes:helm.sh/v3:Release")

    required = {"mode": mode} if mode == "dev" else {"mode": mode, "names": shown["names"]}
    assert releases(shown) == releases(required)
    assert shown["timeoutSeconds"] == INSTALL_TIMEOUT_SECONDS
    assert mode != "dev" or f"waits {EXISTING_TIMEOUT_SECONDS} s at most" in page


def test_the_management_cluster_may_be_a_workload_cluster_as_well() -> None:
    settings = loaded(INSTALL, management={"context": "east"})

    assert contexts(settings) == {"east": "east", "management": "east"}


@pytest.mark.parametrize("empty", [{}, None])
def test_without_a_management_cluster_a_cluster_may_have_any_name(empty: Any) -> None:
    clusters = [{"name": "management", "context": "east"}]
    given = {} if empty is None else {"vaultInstall": empty, "management": empty}
    settings = load(clusters=clusters, **given)

    assert settings.vault.is_installed is False
    assert contexts(settings) == {"management": "east"}


@pytest.mark.parametrize(
    ("install", "message"),
    [
        ("dev", "^vaultInstall: 'dev' .*give it the fields mode, namespace, "),
        (["dev"], r"^vaultInstall: \['dev'\] .*give it the fields"),
        ({**INSTALL, "Chart": "vault"}, "^vaultInstall.Chart: '…' .*use chart, or leave it out"),
        ({**INSTALL, "xyz": "vault"}, "^vaultInstall.xyz: '…' .*there are mode, namespace, "),
        (
            {"namespace": "vault"},
            "^vaultInstall.mode: None .*use dev, standalone or ha; leave vaultInstall out",
        ),
        ({**INSTALL, "mode": "raft"}, "^vaultInstall.mode: 'raft' .*use dev, standalone or ha"),
        ({**INSTALL, "mode": "existing"}, "^vaultInstall.mode: 'existing' .*use dev"),
        ({**INSTALL, "replicas": 3}, "^vaultInstall.replicas: '…' .*leave it out in mode dev"),
        ({**INSTALL, "mode": ["dev"]}, r"^vaultInstall.mode: \['dev'\] "),
        ({**INSTALL, "namespace": "a_b"}, "^vaultInstall.namespace: 'a_b' "),
        ({**INSTALL, "namespace": 7}, "^vaultInstall.namespace: 7 "),
        ({**INSTALL, "chart": ""}, "^vaultInstall.chart: '' "),
        ({**INSTALL, "chart": "./absent"}, r"^vaultInstall.chart: '\./absent' .*Chart\.yaml"),
        ({**INSTALL, "repository": "charts"}, "^vaultInstall.repository: 'charts' "),
        ({**INSTALL, "chartVersion": 0.34}, "^vaultInstall.chartVersion: 0.34 .*exact"),
        ({**INSTALL, "chartVersion": ">1"}, "^vaultInstall.chartVersion: '>1' "),
        ({**INSTALL, "serviceType": "External"}, "^vaultInstall.serviceType: 'External' "),
        ({**INSTALL, "logLevel": "loud"}, "^vaultInstall.logLevel: 'loud' .*trace, debug"),
        ({**INSTALL, "timeoutSeconds": 0}, "^vaultInstall.timeoutSeconds: 0 "),
        ({**INSTALL, "timeoutSeconds": "60"}, "^vaultInstall.timeoutSeconds: '60' "),
        ({**INSTALL, "values": ["a"]}, "^vaultInstall.values: '…' "),
        ({**INSTALL, "values": {"server": None}}, "^vaultInstall.values.server: '…' "),
        (
            {**INSTALL, "values": {"global": {"tlsDisable": False}}},
            "^vaultInstall.values.global.tlsDisable: .*plain HTTP",
        ),
        (
            {**INSTALL, "values": {"server": {"service": {"type": "None"}}}},
            "^vaultInstall.values.server.service.type: 'None' ",
        ),
    ],
)
def test_a_wrong_value_is_named(install: Any, message: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=message):
        loaded(install)


@pytest.mark.parametrize(
    ("management", "message"),
    [
        ({}, "^management.context: None .*the cluster that Vault goes to"),
        ({"kubeconfig": "~/config"}, "^management.context: None .*give it a text"),
        ({"context": 7}, "^management.context: 7 "),
        ({"context": "we_st"}, "^management.context: 'we_st' .*we-st"),
        ({"context": "north"}, "^context in .*: 'north' .*east, path, we_st, west"),
        ({"contxt": "west", "context": "west"}, "^management.contxt: '…' .*use context"),
        ("west", "^management: 'west' .*give it the fields context, kubeconfig"),
    ],
)
def test_a_wrong_management_cluster_is_named(management: Any, message: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=message):
        loaded(INSTALL, management=management)


def test_a_development_server_is_for_development_only() -> None:
    with pytest.raises(
        InvalidConfigurationError, match=r"^vaultInstall.mode: 'dev' .*development: true"
    ):
        loaded(INSTALL, development=False)


@pytest.mark.parametrize("key", ["vaultAddress", "vaultCaFile"])
def test_a_vault_is_installed_or_there_but_not_both(key: str) -> None:
    with pytest.raises(
        InvalidConfigurationError, match=f"^{key}: 'https://vault' .*or vaultInstall"
    ):
        loaded(INSTALL, **{key: "https://vault"})


def test_without_a_vault_in_the_environment_one_can_be_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VAULT_ADDR")
    monkeypatch.delenv("VAULT_CACERT")
    assert loaded(INSTALL).vault.is_installed is True


def test_no_workload_cluster_takes_the_name_of_the_management_cluster() -> None:
    with pytest.raises(InvalidConfigurationError, match=r"^clusters\[1\]\.name: 'management' "):
        loaded(INSTALL, clusters=[{"name": "east"}, {"name": "management", "context": "west"}])
