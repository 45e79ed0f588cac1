"""Every kind through every operation, against a real API server."""

import re
from typing import Any

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties, reveal_properties
from tests.conformance.harness import Plugin, Resource
from tests.conformance.kubernetes.examples import EXAMPLES, Example
from tests.conformance.kubernetes.server import Server

pytestmark = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.kind)


@pytest.fixture
def name(namespace: str, example: Example) -> str:
    # As unique as the namespace, since some kinds are in none.
    return f"{namespace}-{example.kind.lower()}"


@pytest.fixture
def created(plugin: Plugin, example: Example, namespace: str, name: str) -> Resource:
    return plugin.create(example.type, example.inputs(namespace, name))


def _live(server: Server, example: Example, namespace: str, name: str) -> Any:
    return server.find(
        example.api_version, example.kind, namespace if example.namespaced else "", name
    )


def _without_bookkeeping(state: Properties) -> Properties:
    plain = reveal_properties(state)
    return {key: value for key, value in plain.items() if not key.startswith("__")}


def test_create_keeps_what_the_server_has(
    example: Example, created: Resource, server: Server, namespace: str, name: str
) -> None:
    state = reveal_properties(created.state)

    assert created.id == example.id(namespace, name)
    assert _without_bookkeeping(state) == _live(server, example, namespace, name)
    assert state["__inputs"] == reveal_properties(created.inputs)
    assert state["__initialApiVersion"] == example.api_version
    assert re.fullmatch(r"pulumi-kubernetes-[0-9a-f]{8}", str(state["__fieldManager"]))


def test_same_inputs_make_no_difference(
    plugin: Plugin, example: Example, created: Resource, namespace: str, name: str
) -> None:
    difference = plugin.diff(created, example.inputs(namespace, name))

    assert not difference.changes
    assert difference.detailed == {}


def test_update_in_place(
    plugin: Plugin, example: Example, created: Resource, server: Server, namespace: str, name: str
) -> None:
    inputs = example.updated_inputs(namespace, name)
    metadata: Any = inputs["metadata"]
    inputs["metadata"] = {**metadata, "annotations": {"example.com/updated": "yes"}}

    difference = plugin.diff(created, inputs)
    updated = plugin.update(created, inputs)

    assert difference.detailed == {"metadata.annotations": "ADD", **example.update_difference}
    assert difference.replaces == []
    live = _live(server, example, namespace, name)
    assert live["metadata"]["annotations"]["example.com/updated"] == "yes"
    assert live["metadata"]["uid"] == _uid(created)
    assert _without_bookkeeping(updated.state) == live
    assert updated.state["__fieldManager"] == created.state["__fieldManager"]
    assert not plugin.diff(updated, inputs).changes


def test_a_second_update_can_take_away_what_the_first_added(
    plugin: Plugin, example: Example, created: Resource, server: Server, namespace: str, name: str
) -> None:
    inputs = example.inputs(namespace, name)
    metadata: Any = inputs["metadata"]
    more: Properties = {**inputs, "metadata": {**metadata, "annotations": {"example.com/a": "1"}}}

    updated = plugin.update(created, more)
    difference = plugin.diff(updated, inputs)
    restored = plugin.update(updated, inputs)

    assert difference.detailed == {"metadata.annotations": "DELETE"}
    live = _live(server, example, namespace, name)
    assert "example.com/a" not in live["metadata"].get("annotations", {})
    assert not plugin.diff(restored, inputs).changes


def test_fields_that_cannot_change_replace(
    plugin: Plugin, example: Example, created: Resource, namespace: str, name: str
) -> None:
    if example.replaced is None:
        difference = plugin.diff(created, example.inputs(namespace, f"{name}-other"))
        assert difference.replaces == ["metadata.name"]
        assert difference.detailed == {"metadata.name": "UPDATE_REPLACE"}
        assert not difference.delete_before_replace
        return

    difference = plugin.diff(created, {**example.inputs(namespace, name), **example.replaced})

    assert difference.replaces == example.replacements
    # Two objects cannot have one name at the same time.
    assert difference.delete_before_replace


def test_read_of_an_unchanged_object(
    plugin: Plugin, example: Example, created: Resource, namespace: str, name: str
) -> None:
    reading = plugin.read(created)

    assert reading is not None
    assert reading.id == created.id
    assert reading.inputs == created.inputs
    assert reading.state == created.state
    assert not plugin.diff(reading, example.inputs(namespace, name)).changes


def test_import(
    plugin: Plugin, example: Example, created: Resource, server: Server, namespace: str, name: str
) -> None:
    imported = plugin.import_(example.type, created.id)

    assert imported is not None
    assert imported.id == created.id
    assert _without_bookkeeping(imported.state) == _live(server, example, namespace, name)
    inputs: Any = reveal_properties(imported.inputs)
    assert inputs["metadata"]["name"] == name
    assert "uid" not in inputs["metadata"]
    assert "status" not in inputs
    for field in example.fields.keys() - {"stringData", "imagePullSecrets"}:
        if example.api_version != "conformance.example/v1":
            assert field in inputs
    assert not plugin.diff_checked(imported, imported.inputs).changes


def test_drift_is_seen_and_mended(
    plugin: Plugin, example: Example, created: Resource, server: Server, namespace: str, name: str
) -> None:
    server.change(_live(server, example, namespace, name), example.drift)

    reading = plugin.read(created)
    assert reading is not None
    difference = plugin.diff(reading, example.inputs(namespace, name))
    assert difference.detailed == example.drift_difference

    mended = plugin.update(reading, example.inputs(namespace, name))
    assert not plugin.diff(mended, example.inputs(namespace, name)).changes
    again = plugin.read(mended)
    assert again is not None
    assert not plugin.diff(again, example.inputs(namespace, name)).changes


def test_delete(
    plugin: Plugin, example: Example, created: Resource, server: Server, namespace: str, name: str
) -> None:
    plugin.delete(created)

    assert _live(server, example, namespace, name) is None


def test_deleted_by_someone_else(
    plugin: Plugin, example: Example, created: Resource, server: Server, namespace: str, name: str
) -> None:
    server.remove(_live(server, example, namespace, name))

    assert plugin.read(created) is None
    plugin.delete(created)


def test_preview_of_a_new_object_writes_nothing(
    plugin: Plugin, example: Example, server: Server, namespace: str, name: str
) -> None:
    previewed = plugin.create(example.type, example.inputs(namespace, name), preview=True)

    assert previewed.id == ""
    state: Any = reveal_properties(previewed.state)
    assert state["metadata"]["uid"]  # the server's answer to a dry run
    assert "status" not in state
    assert _live(server, example, namespace, name) is None


def test_preview_of_a_change_writes_nothing(
    plugin: Plugin, example: Example, created: Resource, server: Server, namespace: str, name: str
) -> None:
    before = _live(server, example, namespace, name)

    previewed = plugin.update(created, example.updated_inputs(namespace, name), preview=True)

    state = reveal_properties(previewed.state)
    for field in example.updated:
        assert field in state
    assert _live(server, example, namespace, name) == before


def test_preview_with_something_unknown(
    plugin: Plugin, example: Example, created: Resource, server: Server, namespace: str, name: str
) -> None:
    inputs = example.inputs(namespace, name)
    metadata: Any = inputs["metadata"]
    inputs["metadata"] = {**metadata, "annotations": {"example.com/from": UNKNOWN}}
    before = _live(server, example, namespace, name)

    previewed = plugin.create(example.type, inputs, name="another", preview=True)
    difference = plugin.diff(created, inputs)
    changed = plugin.update(created, inputs, preview=True)

    assert previewed.state == previewed.inputs
    assert difference.detailed["metadata.annotations"] == "ADD"
    assert changed.state == changed.inputs
    assert _live(server, example, namespace, name) == before


def test_autonaming(plugin: Plugin, example: Example, server: Server, namespace: str) -> None:
    unnamed = example.inputs(namespace, None)
    unique = f"{namespace}-auto"

    created = plugin.create(example.type, unnamed, name=unique)

    metadata: Any = created.inputs["metadata"]
    assert re.fullmatch(rf"{unique}-[0-9a-f]{{8}}", metadata["name"])
    assert metadata["annotations"] == {"pulumi.com/autonamed": "true"}
    assert created.id == example.id(namespace, metadata["name"])
    assert _live(server, example, namespace, metadata["name"]) is not None
    # The next run keeps the name, and a replacement may stand beside the old object.
    assert not plugin.diff(created, unnamed).changes
    if example.replaced is not None:
        difference = plugin.diff(created, {**unnamed, **example.replaced})
        assert difference.replaces == example.replacements
        assert not difference.delete_before_replace
    plugin.delete(created)


def test_unknown_field_is_refused_by_name(
    plugin: Plugin, example: Example, namespace: str, name: str
) -> None:
    wrong = {**example.inputs(namespace, name), **example.unknown_field}

    failures = plugin.check(example.type, wrong).failures

    assert [path for path, _ in failures] == [example.unknown_path]
    assert repr(example.unknown_path) in failures[0][1]


def test_wrong_identity_is_refused(
    plugin: Plugin, example: Example, namespace: str, name: str
) -> None:
    wrong = {**example.inputs(namespace, name), "kind": "Potato"}

    failures = plugin.check(example.type, wrong).failures

    assert failures == [("kind", f"{example.type} has kind {example.kind!r}, not 'Potato'")]


def _uid(resource: Resource) -> str:
    metadata: Any = resource.state["metadata"]
    uid: str = metadata["uid"]
    return uid
