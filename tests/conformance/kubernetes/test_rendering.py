"""Objects that are rendered to files, and made in no cluster."""

import stat
from pathlib import Path

import pytest
import yaml

from lab.plugins.provider.values import UNKNOWN, Properties
from tests.conformance.harness import Plugin, RefusedError, running_plugin

PROVIDER = "pulumi:providers:kubernetes"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
NAMED = {"name": "example", "namespace": "shop"}


def config_map(**data: str) -> Properties:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**NAMED}, "data": {**data}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rendered"


@pytest.fixture
def renders(unconfigured_plugin: Plugin, folder: Path) -> Plugin:
    unconfigured_plugin.configure({"renderYamlToDirectory": str(folder)})
    return unconfigured_plugin


def test_an_object_is_a_file_as_long_as_it_lives(renders: Plugin, folder: Path) -> None:
    path = folder / "1-manifest" / "v1-configmap-shop-example.yaml"

    renders.create(CONFIG_MAP, config_map(key="one"), preview=True)
    assert not folder.exists()
    made = renders.create(CONFIG_MAP, config_map(key="one"))
    assert made.id == "shop/example"
    assert yaml.safe_load(path.read_text()) == config_map(key="one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert renders.read(made) == made

    assert not renders.diff(made, config_map(key="one")).changes
    difference = renders.diff(made, config_map(key="two"))
    assert set(difference.detailed) == {"data.key"}

    renders.delete(made)
    renders.delete(made)
    assert list(folder.rglob("*.yaml")) == []


def test_groups_and_namespaces_are_in_the_name_of_the_file(renders: Plugin, folder: Path) -> None:
    kind = "rbac.authorization.k8s.io/v1"
    role: Properties = {"apiVersion": kind, "kind": "ClusterRole", "metadata": {"name": "agent"}}

    renders.create(f"kubernetes:{kind}:ClusterRole", {**role, "rules": []})

    [path] = folder.rglob("*.yaml")
    assert path.name == "rbac.authorization.k8s.io_v1-clusterrole-default-agent.yaml"


def test_what_is_not_known_yet_is_not_written(renders: Plugin, folder: Path) -> None:
    renders.create(CONFIG_MAP, {**config_map(), "data": {"key": UNKNOWN}}, preview=True)

    assert not folder.exists()


@pytest.mark.parametrize("key", ["kubeconfig", "context", "cluster"])
def test_a_cluster_beside_it_is_refused(
    unconfigured_plugin: Plugin, folder: Path, key: str
) -> None:
    given = {"renderYamlToDirectory": str(folder), key: "one"}

    [(found, reason)] = unconfigured_plugin.check_config(PROVIDER, given).failures

    assert found == key
    assert reason == f'"{key}" arg is not compatible with "renderYamlToDirectory" arg'


def test_the_kubeconfig_of_the_environment_is_no_choice(folder: Path) -> None:
    with running_plugin("lab.plugins.kubernetes", {"KUBECONFIG": "/theirs"}) as plugin:
        given = {"renderYamlToDirectory": str(folder), "kubeconfig": "/theirs"}

        assert plugin.check_config(PROVIDER, given).failures == []


def test_what_cannot_be_rendered_is_refused(renders: Plugin) -> None:
    for token in ("kubernetes:apps/v1:DeploymentPatch", "kubernetes:helm.sh/v3:Release"):
        with pytest.raises(RefusedError, match="cannot be rendered"):
            renders.create(token, {"metadata": {"name": "example"}})


def test_a_folder_that_cannot_be_written_is_told(
    unconfigured_plugin: Plugin, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    unconfigured_plugin.configure({"renderYamlToDirectory": str(tmp_path / "file")})

    with pytest.raises(RefusedError, match="cannot write "):
        unconfigured_plugin.create(CONFIG_MAP, config_map())
