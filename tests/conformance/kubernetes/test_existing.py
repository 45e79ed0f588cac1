"""Objects that are there already when the plugin is to create them."""

from typing import Any

import pytest

from lab.plugins.provider.values import Properties
from tests.conformance.harness import Plugin, RefusedError
from tests.conformance.kubernetes.conftest import ConfiguredPlugin
from tests.conformance.kubernetes.server import Server

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def _config_map(namespace: str, value: str, **fields: Any) -> Properties:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "example", "namespace": namespace},
        "data": {"key": value},
        **fields,
    }


def test_existing_object_is_left_alone(plugin: Plugin, server: Server, namespace: str) -> None:
    theirs = server.create(_config_map(namespace, "theirs"))

    with pytest.raises(RefusedError, match='configmaps "example" already exists') as refused:
        plugin.create(CONFIG_MAP, _config_map(namespace, "ours"))
    assert "upsertExistingObjects" in str(refused.value)

    assert server.find("v1", "ConfigMap", namespace, "example") == theirs


def test_preview_passes_over_an_existing_object(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    # It may be one that is replaced, and deleted first.
    server.create(_config_map(namespace, "theirs"))

    previewed = plugin.create(CONFIG_MAP, _config_map(namespace, "ours"), preview=True)

    assert previewed.state == previewed.inputs


def test_existing_object_is_adopted_where_configured(
    configured_plugin: ConfiguredPlugin, server: Server, namespace: str
) -> None:
    theirs = server.create(_config_map(namespace, "same"))

    with configured_plugin({"upsertExistingObjects": "true"}) as plugin:
        created = plugin.create(CONFIG_MAP, _config_map(namespace, "same"))
        with pytest.raises(RefusedError, match="field conflict detected"):
            plugin.create(CONFIG_MAP, _config_map(namespace, "different"))

    assert created.id == f"{namespace}/example"
    metadata: Any = created.state["metadata"]
    assert metadata["uid"] == theirs["metadata"]["uid"]
    managers = {each["manager"] for each in metadata["managedFields"]}
    assert managers == {"someone-else", created.state["__fieldManager"]}


def test_preview_of_a_replacement_where_objects_are_adopted(
    configured_plugin: ConfiguredPlugin, server: Server, namespace: str
) -> None:
    theirs = server.create(_config_map(namespace, "old", immutable=True))

    with configured_plugin({"upsertExistingObjects": "true"}) as plugin:
        previewed = plugin.create(CONFIG_MAP, _config_map(namespace, "new"), preview=True)

    assert previewed.state["data"] == {"key": "new"}
    assert server.find("v1", "ConfigMap", namespace, "example") == theirs
