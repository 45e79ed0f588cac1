"""What sets custom resources apart: definitions that come late, statuses, scopes."""

import copy
import threading
from typing import Any

import pytest

from lab.plugins.provider.values import Properties
from tests.conformance.harness import Plugin, RefusedError, Resource
from tests.conformance.kubernetes.conftest import WIDGETS, ConfiguredPlugin
from tests.conformance.kubernetes.server import Server

WIDGET = "kubernetes:conformance.example/v1:Widget"
GADGET = "kubernetes:late.example/v1:Gadget"


def _definition(group: str, kind: str, scope: str) -> Properties:
    definition: Any = copy.deepcopy(WIDGETS)
    plural = f"{kind.lower()}s"
    definition["metadata"]["name"] = f"{plural}.{group}"
    definition["spec"] |= {
        "group": group,
        "names": {"kind": kind, "plural": plural},
        "scope": scope,
    }
    result: Properties = definition
    return result


def _gadget(name: str) -> Properties:
    return {
        "apiVersion": "late.example/v1",
        "kind": "Gadget",
        "metadata": {"name": name},
        "spec": {"size": 1},
    }


def test_definition_that_comes_late(plugin: Plugin, server: Server) -> None:
    # Nothing is known of the kind yet: neither fields nor scope.
    previewed = plugin.create(GADGET, _gadget("early"), preview=True)
    assert previewed.state == previewed.inputs

    definition = _definition("late.example", "Gadget", "Namespaced")
    later = threading.Timer(1.5, server.create, [definition])
    later.start()
    created = plugin.create(GADGET, _gadget("early"))
    later.join()

    assert created.id == "default/early"
    server.await_kind("late.example/v1", "Gadget")
    failures = plugin.check(GADGET, {**_gadget("early"), "spec": {"sise": 1}}).failures
    assert [path for path, _ in failures] == ["spec.sise"]

    # With its definition every object of the kind goes, too.
    server.remove(server.find(*_ID_OF_DEFINITIONS, "gadgets.late.example"))
    assert plugin.read(created) is None
    plugin.delete(created)


_ID_OF_DEFINITIONS = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "")


def test_definition_that_never_comes(configured_plugin: ConfiguredPlugin) -> None:
    unserved: Properties = {
        "apiVersion": "never.example/v1",
        "kind": "Thing",
        "metadata": {"name": "example"},
    }
    with configured_plugin({}) as plugin:
        plugin.cancel()  # so that the attempts do not wait for one another
        with pytest.raises(RefusedError) as refused:
            plugin.create("kubernetes:never.example/v1:Thing", unserved)

    assert 'no matches for kind "Thing" in version "never.example/v1"' in str(refused.value)


def test_cluster_scoped_kind_gets_no_namespace(plugin: Plugin, server: Server) -> None:
    server.create(_definition("wide.example", "Gadget", "Cluster"))
    server.await_kind("wide.example/v1", "Gadget")
    inputs: Properties = {
        "apiVersion": "wide.example/v1",
        "kind": "Gadget",
        "metadata": {"name": "example"},
        "spec": {"size": 1},
    }

    created = plugin.create("kubernetes:wide.example/v1:Gadget", inputs)

    assert created.id == "example"
    assert created.inputs["metadata"] == {"name": "example"}
    assert not plugin.diff(created, inputs).changes
    plugin.delete(created)


def test_status_of_a_controller_is_no_difference(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    inputs = _widget(namespace)
    created = plugin.create(WIDGET, inputs)
    live = server.find("conformance.example/v1", "Widget", namespace, "example")
    server.change(live, {"status": {"state": "ACCEPTED"}}, manager="controller")

    reading = plugin.read(created)

    assert reading is not None
    assert reading.state["status"] == {"state": "ACCEPTED"}
    assert not plugin.diff(reading, inputs).changes


def test_import_takes_over_no_more_than_its_identity(plugin: Plugin, namespace: str) -> None:
    created = plugin.create(WIDGET, _widget(namespace))

    imported = plugin.import_(WIDGET, created.id)

    assert imported is not None
    assert imported.inputs == {
        "apiVersion": "conformance.example/v1",
        "kind": "Widget",
        "metadata": {"name": "example", "namespace": namespace},
    }


def test_values_are_what_the_server_refuses(plugin: Plugin, namespace: str) -> None:
    wrong: Properties = {**_widget(namespace), "spec": {"size": "large"}}

    with pytest.raises(RefusedError, match=r"spec\.size: Invalid value"):
        plugin.create(WIDGET, wrong)


def test_update_after_definition_is_gone_is_refused(plugin: Plugin) -> None:
    gone = Resource(
        "kubernetes:never.example/v1:Thing",
        "example",
        "default/example",
        {},
        {
            "apiVersion": "never.example/v1",
            "kind": "Thing",
            "metadata": {"name": "example", "namespace": "default"},
        },
    )
    inputs: Properties = {
        "apiVersion": "never.example/v1",
        "kind": "Thing",
        "metadata": {"name": "example"},
    }

    with pytest.raises(RefusedError, match="no matches for kind"):
        plugin.update(gone, inputs)


def _widget(namespace: str) -> Properties:
    return {
        "apiVersion": "conformance.example/v1",
        "kind": "Widget",
        "metadata": {"name": "example", "namespace": namespace},
        "spec": {"size": 1},
    }
