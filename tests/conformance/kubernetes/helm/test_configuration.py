"""The provider's configuration of Helm, helm itself, and clusters that do not answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties, Value
from tests.conformance.harness import Plugin, RefusedError, Resource, running_plugin
from tests.conformance.kubernetes.helm.charts import RELEASE, release, write_chart
from tests.conformance.kubernetes.helm.conftest import HelmPlugin
from tests.conformance.kubernetes.server import Server

PROVIDER = "pulumi:providers:kubernetes"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
NOWHERE: Properties = {
    "current-context": "one",
    "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me"}}],
    "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:9"}}],
    "users": [{"name": "me", "user": {"token": "a-token-that-must-not-show"}}],
}


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return write_chart(tmp_path)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"driver": "memory"}, "helmReleaseSettings.driver"),
        ('{"driver": "paper"}', "helmReleaseSettings.driver"),
        ({"pluginsPath": 1}, "helmReleaseSettings.pluginsPath"),
        ({"plugins": "x"}, "helmReleaseSettings.plugins"),
        ("{", "helmReleaseSettings"),
    ],
)
def test_wrong_settings_are_refused_by_name(plugin: Plugin, settings: Value, field: str) -> None:
    given: Properties = {"kubeconfig": "{}", "helmReleaseSettings": settings}

    failures = plugin.check_config(PROVIDER, given).failures

    assert [found for found, _ in failures] == [field]
    assert field.rpartition(".")[2] in failures[0][1]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"driver": UNKNOWN},
        '{"driver": "configmap"}',
        {"driver": "secret", "pluginsPath": "a", "registryConfigPath": "b"},
    ],
)
def test_settings_are_kept(plugin: Plugin, settings: Value) -> None:
    given: Properties = {"kubeconfig": "{}", "helmReleaseSettings": settings}

    checked = plugin.check_config(PROVIDER, given)

    assert checked.failures == []
    assert checked.inputs == given


@pytest.mark.parametrize("by", ["configuration", "environment"])
def test_releases_in_config_maps(
    helm_plugin: HelmPlugin, chart: Path, namespace: str, server: Server, by: str
) -> None:
    settings = json.dumps({"driver": "configmap"})
    inputs: Properties = {"helmReleaseSettings": settings} if by == "configuration" else {}
    environment = {"PULUMI_K8S_HELM_DRIVER": "configmap"} if by == "environment" else {}

    with helm_plugin(environment, inputs) as plugin:
        created = plugin.create(RELEASE, release(chart, namespace))
        assert plugin.read(created) == created

    name = "sh.helm.release.v1.example.v1"
    assert server.find("v1", "ConfigMap", namespace, name) is not None
    assert server.find("v1", "Secret", namespace, name) is None


def test_a_driver_of_the_environment_that_keeps_nothing(kubeconfig_path: Path) -> None:
    environment = {"PULUMI_K8S_HELM_DRIVER": "memory"}
    with (
        running_plugin("lab.plugins.kubernetes", environment) as plugin,
        pytest.raises(RefusedError, match="'memory' keeps no releases"),
    ):
        plugin.configure({"kubeconfig": str(kubeconfig_path)})


def test_the_user_s_own_use_of_helm_is_of_no_account(
    helm_plugin: HelmPlugin, chart: Path, namespace: str, server: Server
) -> None:
    environment = {
        "HELM_NAMESPACE": "elsewhere",
        "HELM_KUBEAPISERVER": "https://127.0.0.1:9",
        "HELM_DRIVER": "memory",
        "HELM_DEBUG": "true",
        "KUBECONFIG": "/nowhere",
    }

    with helm_plugin(environment) as plugin:
        plugin.create(RELEASE, release(chart, namespace))

    assert server.find("v1", "Secret", namespace, "sh.helm.release.v1.example.v1") is not None


def _script(folder: Path, answer: str) -> Path:
    script = folder / "helm"
    script.write_text(f"#!/bin/sh\necho {answer}\n")
    script.chmod(0o755)
    return script


def test_without_helm_only_releases_are_refused(
    kubeconfig_path: Path, chart: Path, namespace: str
) -> None:
    config_map: Properties = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "example", "namespace": namespace},
    }
    with running_plugin("lab.plugins.kubernetes", {"PATH": "/nowhere"}) as plugin:
        plugin.configure({"kubeconfig": str(kubeconfig_path)})
        assert plugin.create(CONFIG_MAP, config_map).id
        with pytest.raises(RefusedError) as refused:
            plugin.check(RELEASE, release(chart, namespace))

    assert str(refused.value) == (
        "a Helm release needs the helm command, and there is none: install Helm 3 on PATH, or set "
        "MESH_TRUST_HELM to its path"
    )


def test_helm_on_the_path(helm: Path, kubeconfig_path: Path, chart: Path, namespace: str) -> None:
    with running_plugin("lab.plugins.kubernetes", {"PATH": str(helm.parent)}) as plugin:
        plugin.configure({"kubeconfig": str(kubeconfig_path)})
        assert plugin.check(RELEASE, release(chart, namespace)).failures == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("v4.0.1", "is v4.0.1; Helm 3.17 or newer, but no Helm 4, is needed"),
        ("v3.16.4", "is v3.16.4; Helm 3.17 or newer"),
        ("hello", "is hello; Helm 3.17 or newer"),
        (None, "MESH_TRUST_HELM: there is no executable"),
    ],
)
def test_a_helm_that_is_none(
    helm_plugin: HelmPlugin, chart: Path, namespace: str, tmp_path: Path, answer: Any, reason: str
) -> None:
    script = _script(tmp_path, answer) if answer else tmp_path / "not-there"

    with (
        helm_plugin({"MESH_TRUST_HELM": str(script)}) as plugin,
        pytest.raises(RefusedError, match=reason),
    ):
        plugin.check(RELEASE, release(chart, namespace))


def test_cluster_that_cannot_be_reached(
    helm_plugin: HelmPlugin, chart: Path, namespace: str
) -> None:
    inputs = release(chart, namespace)
    with helm_plugin(inputs={"kubeconfig": json.dumps(NOWHERE)}) as plugin:
        # A preview goes on: charts are not in the cluster.
        previewed = plugin.create(RELEASE, inputs, preview=True)
        assert previewed.inputs["version"] == "1.0.0"
        recorded = Resource(RELEASE, "example", "x/example", previewed.inputs, previewed.inputs)
        for call, action in (
            (lambda: plugin.create(RELEASE, inputs), "create"),
            (lambda: plugin.update(recorded, inputs), "update"),
            (lambda: plugin.delete(recorded), "delete"),
        ):
            with pytest.raises(RefusedError) as refused:
                call()
            assert str(refused.value).startswith(
                f"can't {action} Helm Release with unreachable cluster"
            )
            assert "must-not-show" not in str(refused.value)
        with pytest.raises(RefusedError, match="PULUMI_K8S_DELETE_UNREACHABLE"):
            plugin.read(recorded)


@pytest.mark.parametrize("switch", ["deleteUnreachable", "skipUpdateUnreachable"])
def test_unreachable_releases_where_configured(
    helm_plugin: HelmPlugin, chart: Path, namespace: str, switch: str
) -> None:
    inputs = release(chart, namespace)
    recorded = Resource(RELEASE, "example", "x/example", inputs, inputs)
    with helm_plugin(inputs={"kubeconfig": json.dumps(NOWHERE), switch: "true"}) as plugin:
        reading = plugin.read(recorded)
        checked = plugin.check(RELEASE, {**inputs, "values": {"a": 1}}, olds=inputs)

    assert reading == (None if switch == "deleteUnreachable" else recorded)
    assert (checked.inputs == inputs) is (switch == "skipUpdateUnreachable")
