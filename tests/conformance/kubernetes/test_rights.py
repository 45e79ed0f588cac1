"""A user who may see objects, but not write them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.plugins.provider.values import Properties, Secret
from tests.conformance.harness import PartialError, Plugin, RefusedError, running_plugin
from tests.conformance.kubernetes.server import Server

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def _config_map(namespace: str, label: str) -> Properties:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "example", "namespace": namespace, "labels": {"label": label}},
    }


@pytest.fixture
def readers_plugin(kubeconfig_path: Path, server: Server, namespace: str) -> Iterator[Plugin]:
    metadata: Properties = {"name": "reader", "namespace": namespace}
    role: Properties = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
    server.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    server.create(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {**role, "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}],
        }
    )
    kubeconfig: Any = yaml.safe_load(kubeconfig_path.read_text())
    kubeconfig["users"][0]["user"] = {"token": server.token(namespace, "reader")}
    with running_plugin("lab.plugins.kubernetes") as plugin:
        plugin.configure({"kubeconfig": Secret(yaml.safe_dump(kubeconfig))})
        yield plugin


def test_creation_is_previewed_but_refused(readers_plugin: Plugin, namespace: str) -> None:
    inputs = _config_map(namespace, "new")

    previewed = readers_plugin.create(CONFIG_MAP, inputs, preview=True)

    assert previewed.state == previewed.inputs
    with pytest.raises(RefusedError, match=r'configmaps is forbidden: User ".*:reader"'):
        readers_plugin.create(CONFIG_MAP, inputs)


def test_update_is_previewed_but_refused(
    plugin: Plugin, readers_plugin: Plugin, namespace: str
) -> None:
    created = plugin.create(CONFIG_MAP, _config_map(namespace, "old"))

    previewed = readers_plugin.update(created, _config_map(namespace, "new"), preview=True)

    assert previewed.state == previewed.inputs
    with pytest.raises(PartialError, match="is forbidden"):
        readers_plugin.update(created, _config_map(namespace, "new"))
    with pytest.raises(RefusedError, match="is forbidden"):
        readers_plugin.delete(created)


def test_reading_needs_no_more(plugin: Plugin, readers_plugin: Plugin, namespace: str) -> None:
    created = plugin.create(CONFIG_MAP, _config_map(namespace, "old"))

    reading = readers_plugin.read(created)

    assert reading is not None
    assert reading.state == created.state
