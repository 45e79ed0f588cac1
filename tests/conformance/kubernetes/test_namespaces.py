"""Which namespace an object gets, and objects whose namespace is not there yet."""

import threading
from typing import Any

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties
from tests.conformance.harness import Plugin, RefusedError
from tests.conformance.kubernetes.conftest import ConfiguredPlugin
from tests.conformance.kubernetes.server import Server

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
NAMESPACE = "kubernetes:core/v1:Namespace"


def _config_map(**metadata: Any) -> Properties:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "example", **metadata},
        "data": {"key": "value"},
    }


def test_default_namespace(plugin: Plugin) -> None:
    checked = plugin.check(CONFIG_MAP, _config_map())

    assert checked.inputs["metadata"] == {"name": "example", "namespace": "default"}


def test_default_namespace_of_the_configuration(
    configured_plugin: ConfiguredPlugin, namespace: str
) -> None:
    with configured_plugin({"namespace": namespace}) as plugin:
        created = plugin.create(CONFIG_MAP, _config_map())
        assert created.id == f"{namespace}/example"
        assert not plugin.diff(created, _config_map()).changes
        elsewhere = plugin.diff(created, _config_map(namespace="default"))
        assert elsewhere.replaces == ["metadata.namespace"]
        assert not elsewhere.delete_before_replace


def test_namespace_not_known_yet_stays_so(plugin: Plugin) -> None:
    checked = plugin.check(CONFIG_MAP, _config_map(namespace=UNKNOWN))

    assert checked.inputs["metadata"] == {"name": "example", "namespace": UNKNOWN}


def test_preview_in_a_namespace_that_is_still_to_be_created(plugin: Plugin) -> None:
    inputs = _config_map(namespace="not-there-yet")

    previewed = plugin.create(CONFIG_MAP, inputs, preview=True)

    assert previewed.state == previewed.inputs


def test_namespace_that_comes_late(plugin: Plugin, server: Server) -> None:
    late: Properties = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "conformance-late"},
    }
    later = threading.Timer(0.5, server.create, [late])
    later.start()

    created = plugin.create(CONFIG_MAP, _config_map(namespace="conformance-late"))

    later.join()
    assert created.id == "conformance-late/example"


def test_generated_names_are_refused(plugin: Plugin) -> None:
    inputs = _config_map(generateName="example-")
    metadata: Any = inputs["metadata"]
    del metadata["name"]

    with pytest.raises(RefusedError, match="generateName"):
        plugin.check(CONFIG_MAP, inputs)


def test_deletion_that_a_finalizer_holds_up(plugin: Plugin, server: Server, namespace: str) -> None:
    annotations = {"pulumi.com/timeoutSeconds": "1"}
    held = _config_map(
        namespace=namespace, finalizers=["example.com/hold"], annotations=annotations
    )
    created = plugin.create(CONFIG_MAP, held)

    with pytest.raises(Exception, match="timed out waiting for the condition") as failed:
        plugin.delete(created)

    assert "example.com/hold" in str(failed.value)
    live = server.find("v1", "ConfigMap", namespace, "example")
    assert live["metadata"]["deletionTimestamp"]
    server.change(live, {"metadata": {"finalizers": None}})
    plugin.delete(created)
    assert server.find("v1", "ConfigMap", namespace, "example") is None


def test_deletion_is_over_when_another_object_has_the_name(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    created = plugin.create(
        CONFIG_MAP,
        _config_map(
            namespace=namespace,
            finalizers=["example.com/hold"],
            annotations={"pulumi.com/timeoutSeconds": "10"},
        ),
    )

    def recreate() -> None:
        held: Any = None
        while not (held and "deletionTimestamp" in held["metadata"]):
            held = server.find("v1", "ConfigMap", namespace, "example")
        server.change(held, {"metadata": {"finalizers": None}})
        while server.find("v1", "ConfigMap", namespace, "example"):
            pass
        server.create(_config_map(namespace=namespace))

    other = threading.Thread(target=recreate)
    other.start()
    plugin.delete(created)
    other.join()

    assert server.find("v1", "ConfigMap", namespace, "example") is not None


def test_namespace_is_deleted_with_all_that_is_in_it(plugin: Plugin, server: Server) -> None:
    inputs: Properties = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "conformance-full"},
    }
    created = plugin.create(NAMESPACE, inputs)
    plugin.create(CONFIG_MAP, _config_map(namespace="conformance-full"))

    plugin.delete(created)

    assert server.find("v1", "Namespace", "", "conformance-full") is None
