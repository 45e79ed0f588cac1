"""The provider's own configuration: keys, kubeconfigs, clusters that do not answer."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.plugins.provider.values import UNKNOWN, Properties, Secret, Value
from tests.conformance.harness import Plugin, RefusedError, Resource, running_plugin
from tests.conformance.kubernetes.conftest import CLUSTER, ConfiguredPlugin

PROVIDER = "pulumi:providers:kubernetes"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
NOWHERE = "https://127.0.0.1:9"


def _kubeconfig(server: str = NOWHERE, **context: str) -> Properties:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [
            {"name": "one", "context": {"cluster": "first", "user": "me", **context}},
            {"name": "two", "context": {"cluster": "second", "user": "me"}},
        ],
        "clusters": [
            {"name": "first", "cluster": {"server": server}},
            {"name": "second", "cluster": {"server": "https://127.0.0.1:10"}},
        ],
        "users": [{"name": "me", "user": {"token": "a-token-that-must-not-show"}}],
    }


def _text(kubeconfig: Properties) -> str:
    return yaml.safe_dump(kubeconfig)


def _config_map(namespace: str) -> Properties:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "example", "namespace": namespace},
        "data": {"key": "value"},
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("alwaysRender", "true"),
        ("enableServerSideApply", "false"),
        ("kubeClientSettings.burst", '{"burst": 10}'),
        ("kubeClientSettings.qps", {"qps": 5.5}),
        ("kubeClientSettings.timeouts", {"timeouts": 5}),
        ("kubeClientSettings", "{"),
        ("kubeClientSettings", {"timeout": "soon"}),
        ("kubeConfig", "misspelt"),
    ],
)
def test_unsupported_keys_are_refused_by_name(plugin: Plugin, key: str, value: Value) -> None:
    given = {"kubeconfig": "{}", key.partition(".")[0]: value}

    failures = plugin.check_config(PROVIDER, given).failures

    assert [found for found, _ in failures] == [key]
    assert key in failures[0][1]


def test_supported_keys_are_kept(plugin: Plugin) -> None:
    given: Properties = {
        "kubeconfig": Secret(_text(_kubeconfig())),
        "context": "one",
        "cluster": "second",
        "namespace": "elsewhere",
        "clusterIdentifier": "id",
        "deleteUnreachable": "true",
        "enableConfigMapMutable": "true",
        "enablePatchForce": "true",
        "enableSecretMutable": True,
        "enableServerSideApply": "true",
        "kubeClientSettings": '{"timeout": 20}',
        "skipUpdateUnreachable": "false",
        "suppressDeprecationWarnings": "true",
        "suppressHelmHookWarnings": "true",
        "upsertExistingObjects": UNKNOWN,
        "version": "4.34.2",
    }

    checked = plugin.check_config(PROVIDER, given)

    assert checked.failures == []
    assert checked.inputs == given


def test_strict_mode(plugin: Plugin) -> None:
    strict: Properties = {"strictMode": "true", "kubeconfig": "{}"}

    lacking = plugin.check_config(PROVIDER, strict)
    complete = plugin.check_config(PROVIDER, {**strict, "context": "one"})

    assert lacking.failures == [("context", 'strict mode requires Provider "context" argument')]
    assert complete.failures == []


@pytest.mark.parametrize(
    ("changed", "replaces"),
    [
        ({}, []),
        ({"namespace": "other"}, []),
        ({"kubeconfig": _text(_kubeconfig(namespace="other"))}, []),
        ({"kubeconfig": _text(_kubeconfig("https://127.0.0.1:11"))}, ["kubeconfig"]),
        ({"context": "two"}, ["context"]),
        ({"cluster": "second"}, ["cluster"]),
        ({"context": "not there"}, []),
        ({"kubeconfig": UNKNOWN}, ["kubeconfig"]),
        ({"context": UNKNOWN, "namespace": "other"}, ["context"]),
        ({"clusterIdentifier": "new"}, []),
    ],
)
def test_another_cluster_replaces_the_provider(
    plugin: Plugin, changed: dict[str, Value], replaces: list[str]
) -> None:
    old: Properties = {"kubeconfig": _text(_kubeconfig()), "context": "one"}

    difference = plugin.diff_config(PROVIDER, old, {**old, **changed})

    assert difference.changes == bool(changed)
    assert difference.detailed.keys() == changed.keys()
    assert difference.replaces == replaces


def test_cluster_identifier_decides_alone(plugin: Plugin) -> None:
    old: Properties = {"kubeconfig": _text(_kubeconfig()), "clusterIdentifier": "one"}
    moved = {**old, "kubeconfig": _text(_kubeconfig("https://127.0.0.1:11"))}

    same = plugin.diff_config(PROVIDER, old, moved)
    other = plugin.diff_config(PROVIDER, old, {**old, "clusterIdentifier": "two"})

    assert same.changes
    assert same.replaces == []
    assert other.replaces == ["clusterIdentifier"]


def test_broken_kubeconfig_shows_nothing_of_itself(plugin: Plugin) -> None:
    broken = _text(_kubeconfig()).replace("users:", "users: [")

    with pytest.raises(RefusedError, match="is no YAML") as refused:
        plugin.diff_config(PROVIDER, {"kubeconfig": "{}"}, {"kubeconfig": broken})

    assert "must-not-show" not in str(refused.value)


@pytest.mark.parametrize("form", ["path", "text", "value"])
def test_forms_of_kubeconfig(
    unconfigured_plugin: Plugin, kubeconfig_path: Path, namespace: str, form: str
) -> None:
    text = kubeconfig_path.read_text()
    forms: dict[str, Value] = {
        "path": str(kubeconfig_path),
        "text": Secret(text),
        "value": yaml.safe_load(text),
    }
    unconfigured_plugin.configure({"kubeconfig": forms[form], "context": CLUSTER})

    created = unconfigured_plugin.create(CONFIG_MAP, _config_map(namespace))

    assert created.id == f"{namespace}/example"


def test_kubeconfigs_of_the_environment(
    kubeconfig_path: Path, namespace: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text(_text(_kubeconfig()))
    ambient = f"{other}:{tmp_path / 'missing'}:{kubeconfig_path}"

    with running_plugin("lab.plugins.kubernetes", {"KUBECONFIG": ambient}) as plugin:
        plugin.configure({"context": CLUSTER})
        assert plugin.create(CONFIG_MAP, _config_map(namespace)).id == f"{namespace}/example"


def test_cluster_of_another_name(
    unconfigured_plugin: Plugin, kubeconfig_path: Path, namespace: str
) -> None:
    kubeconfig: Any = yaml.safe_load(kubeconfig_path.read_text())
    real = kubeconfig["clusters"][0]
    wrong = copy.deepcopy(real)
    wrong["cluster"]["server"] = NOWHERE
    kubeconfig["clusters"] = [wrong, {**real, "name": "real"}]
    unconfigured_plugin.configure({"kubeconfig": yaml.safe_dump(kubeconfig), "cluster": "real"})

    assert unconfigured_plugin.create(CONFIG_MAP, _config_map(namespace)).id


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"kubeconfig": _text(_kubeconfig())}, "unable to load schema information"),
        ({"kubeconfig": _text(_kubeconfig()), "context": "three"}, "context 'three' does not"),
        ({"kubeconfig": _text(_kubeconfig()), "cluster": "third"}, "cluster 'third' does not"),
        ({"kubeconfig": "/no/such/file"}, "neither a file nor a kubeconfig"),
        ({}, "no configuration has been provided"),
    ],
)
def test_cluster_that_cannot_be_reached(
    unconfigured_plugin: Plugin, configuration: dict[str, Value], reason: str
) -> None:
    unconfigured_plugin.configure(configuration)

    # A preview goes on, with what the program says.
    previewed = unconfigured_plugin.create(CONFIG_MAP, _config_map("here"), preview=True)
    assert previewed.state == previewed.inputs
    with pytest.raises(RefusedError, match="cluster is unreachable") as refused:
        unconfigured_plugin.create(CONFIG_MAP, _config_map("here"))
    assert reason in str(refused.value)
    assert "must-not-show" not in str(refused.value)
    recorded = Resource(CONFIG_MAP, "example", "here/example", {}, {"kind": "ConfigMap"})
    with pytest.raises(RefusedError, match="PULUMI_K8S_DELETE_UNREACHABLE"):
        unconfigured_plugin.read(recorded)
    with pytest.raises(RefusedError, match="PULUMI_K8S_DELETE_UNREACHABLE"):
        unconfigured_plugin.delete(recorded)


def test_unreachable_objects_are_forgotten_where_configured(unconfigured_plugin: Plugin) -> None:
    unconfigured_plugin.configure({"kubeconfig": _text(_kubeconfig()), "deleteUnreachable": "true"})
    recorded = Resource(CONFIG_MAP, "example", "here/example", {}, {"kind": "ConfigMap"})

    assert unconfigured_plugin.read(recorded) is None
    unconfigured_plugin.delete(recorded)


def test_unreachable_objects_are_passed_over_where_configured(
    unconfigured_plugin: Plugin,
) -> None:
    unconfigured_plugin.configure(
        {"kubeconfig": _text(_kubeconfig()), "skipUpdateUnreachable": "true"}
    )
    inputs = _config_map("here")
    recorded = Resource(CONFIG_MAP, "example", "here/example", inputs, {"kind": "ConfigMap"})

    assert unconfigured_plugin.read(recorded) == recorded
    changed: Properties = {**inputs, "data": {"key": "other"}}
    checked = unconfigured_plugin.check(CONFIG_MAP, changed, olds=inputs)
    assert checked.inputs == inputs


def test_content_may_change_where_configured(
    configured_plugin: ConfiguredPlugin, namespace: str
) -> None:
    changed: Properties = {**_config_map(namespace), "data": {"key": "other"}}
    with configured_plugin({"enableConfigMapMutable": "true"}) as plugin:
        created = plugin.create(CONFIG_MAP, _config_map(namespace))

        assert plugin.diff(created, changed).detailed == {"data.key": "UPDATE"}
        assert plugin.update(created, changed).state["data"] == {"key": "other"}


def test_switches_of_the_environment(kubeconfig_path: Path, namespace: str) -> None:
    environment = {"PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE": "true"}
    changed: Properties = {**_config_map(namespace), "data": {"key": "other"}}
    with running_plugin("lab.plugins.kubernetes", environment) as plugin:
        plugin.configure({"kubeconfig": str(kubeconfig_path)})
        created = plugin.create(CONFIG_MAP, _config_map(namespace))

        assert plugin.diff(created, changed).replaces == []


def test_waiting_for_everything_is_refused(kubeconfig_path: Path) -> None:
    with (
        running_plugin("lab.plugins.kubernetes", {"PULUMI_K8S_AWAIT_ALL": "true"}) as plugin,
        pytest.raises(RefusedError, match="PULUMI_K8S_AWAIT_ALL"),
    ):
        plugin.configure({"kubeconfig": str(kubeconfig_path)})


def test_nothing_works_before_configuration(unconfigured_plugin: Plugin) -> None:
    with pytest.raises(RefusedError, match="not configured"):
        unconfigured_plugin.check(CONFIG_MAP, _config_map("here"))


def test_version_is_the_official_plugins(plugin: Plugin) -> None:
    assert plugin.version() == "4.34.2"


@pytest.mark.parametrize("kubeconfig", ["x" * 3000, "~", "\0", ": ["])
def test_text_that_is_no_kubeconfig_is_not_quoted(plugin: Plugin, kubeconfig: str) -> None:
    with pytest.raises(RefusedError, match="failed to parse kubeconfig") as refused:
        plugin.diff_config(PROVIDER, {"kubeconfig": "{}"}, {"kubeconfig": kubeconfig})

    assert "xxx" not in str(refused.value)
