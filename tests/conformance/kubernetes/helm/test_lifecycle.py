"""A release through every operation, on a real API server."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties, Secret, reveal, reveal_properties
from tests.conformance.harness import Plugin, RefusedError, Resource
from tests.conformance.kubernetes.helm.charts import DEPLOYMENT, RELEASE, release, write_chart
from tests.conformance.kubernetes.helm.conftest import Outsider

# As the official plugin's state has it: each field, with its type's empty value if not set.
UNSET: Properties = {
    "allowNullValues": False,
    "atomic": False,
    "cleanupOnFail": False,
    "createNamespace": False,
    "dependencyUpdate": False,
    "description": "",
    "devel": False,
    "disableCRDHooks": False,
    "disableOpenapiValidation": False,
    "disableWebhooks": False,
    "forceUpdate": False,
    "keyring": "",
    "lint": False,
    "postrender": "",
    "recreatePods": False,
    "renderSubchartNotes": False,
    "replace": False,
    "resetValues": False,
    "reuseValues": False,
    "skipAwait": False,
    "skipCrds": False,
    "takeOwnership": False,
    "timeout": 300,
    "values": {},
    "verify": False,
    "waitForJobs": False,
}


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return write_chart(tmp_path)


@pytest.fixture
def inputs(chart: Path, namespace: str) -> Properties:
    return release(chart, namespace, values={"message": "hello", "nested": {"list": [1, "two"]}})


@pytest.fixture
def created(plugin: Plugin, inputs: Properties) -> Resource:
    return plugin.create(RELEASE, inputs)


def _status(namespace: str, revision: int, **fields: Any) -> Properties:
    return {
        "appVersion": "7.8",
        "chart": "example",
        "name": "example",
        "namespace": namespace,
        "revision": revision,
        "status": "deployed",
        "version": "1.0.0",
        **fields,
    }


def test_check_completes_the_inputs(
    plugin: Plugin, inputs: Properties, chart: Path, namespace: str
) -> None:
    checked = plugin.check(RELEASE, inputs)

    assert checked.failures == []
    assert checked.inputs == {
        **UNSET,
        "chart": str(chart),
        "name": "example",
        "namespace": namespace,
        "values": inputs["values"],
        "version": "1.0.0",
    }


def test_create(
    plugin: Plugin,
    created: Resource,
    inputs: Properties,
    namespace: str,
    configuration: Callable[[], Any],
) -> None:
    found = configuration()

    assert created.id == f"{namespace}/example"
    assert found["message"] == "hello"
    assert found["everything"]["nested"] == {"kept": 1, "list": [1, "two"]}
    assert isinstance(created.state["__inputs"], Secret)
    assert reveal(created.state["__inputs"]) == created.inputs
    assert {key: value for key, value in created.state.items() if key != "__inputs"} == {
        **created.inputs,
        "resourceNames": {"ConfigMap/v1": ["example-configuration"]},
        "status": _status(namespace, 1),
    }
    assert not plugin.diff(created, inputs).changes


def test_resource_names_by_kind(plugin: Plugin, tmp_path: Path, namespace: str) -> None:
    commented = "# nothing but words\n---\n" + DEPLOYMENT
    roles = "".join(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n"
        f"metadata: {{name: {name}, namespace: {{{{ .Release.Namespace }}}}}}\n"
        for name in ("second", "first")
    )
    chart = write_chart(tmp_path, templates={"all.yaml": commented, "roles.yaml": roles})

    created = plugin.create(RELEASE, release(chart, namespace))

    assert created.state["resourceNames"] == {
        "Deployment.apps/apps/v1": [f"{namespace}/example"],
        "Role.rbac.authorization.k8s.io/rbac.authorization.k8s.io/v1": [
            f"{namespace}/first",
            f"{namespace}/second",
        ],
    }


def test_update_of_values(
    plugin: Plugin,
    created: Resource,
    inputs: Properties,
    namespace: str,
    configuration: Callable[[], Any],
) -> None:
    changed: Properties = {
        **inputs,
        "values": {"message": "changed", "nested": {"list": [1, "three", 4]}, "added": {"a.b": 1}},
    }

    difference = plugin.diff(created, changed)
    updated = plugin.update(created, changed)

    assert difference.detailed == {
        "values.message": "UPDATE",
        "values.nested.list[1]": "UPDATE",
        "values.nested.list[2]": "ADD",
        "values.added": "ADD",
    }
    assert difference.replaces == []
    assert configuration()["message"] == "changed"
    assert updated.state["status"] == _status(namespace, 2)
    assert updated.state["values"] == changed["values"]
    assert not plugin.diff(updated, changed).changes
    # And what was added can be taken away again.
    assert plugin.diff(updated, inputs).detailed == {
        "values.message": "UPDATE",
        "values.nested.list[1]": "UPDATE",
        "values.nested.list[2]": "DELETE",
        "values.added": "DELETE",
    }
    plugin.update(updated, inputs)
    assert "added" not in configuration()["everything"]


@pytest.mark.parametrize("field", ["name", "namespace"])
def test_another_name_or_namespace_replaces(
    plugin: Plugin, created: Resource, inputs: Properties, field: str
) -> None:
    difference = plugin.diff(created, {**inputs, field: "other"})

    assert difference.detailed == {field: "UPDATE_REPLACE"}
    assert difference.replaces == [field]
    assert not difference.delete_before_replace


def test_values_of_such_names_do_not_replace(
    plugin: Plugin, created: Resource, inputs: Properties
) -> None:
    difference = plugin.diff(created, {**inputs, "values": {"name": "other", "namespace": "x"}})

    assert difference.replaces == []
    assert difference.detailed["values.name"] == "ADD"


def test_other_fields_update(plugin: Plugin, created: Resource, inputs: Properties) -> None:
    changed: Properties = {**inputs, "timeout": 60, "skipCrds": True, "maxHistory": 3}

    difference = plugin.diff(created, changed)

    assert difference.detailed == {"timeout": "UPDATE", "skipCrds": "UPDATE", "maxHistory": "ADD"}
    assert difference.replaces == []


def test_another_version_of_the_chart(
    plugin: Plugin,
    created: Resource,
    inputs: Properties,
    tmp_path: Path,
    namespace: str,
) -> None:
    write_chart(tmp_path, version="1.1.0", values={"message": "", "news": True})

    difference = plugin.diff(created, inputs)
    ignored = plugin.diff(created, inputs, ignore_changes=["version"])
    updated = plugin.update(created, inputs)

    assert difference.detailed == {"version": "UPDATE"}
    assert not ignored.changes
    assert updated.state["version"] == "1.1.0"
    assert updated.state["status"] == _status(namespace, 2, version="1.1.0")


def test_another_content_of_the_same_version_is_not_noticed(
    plugin: Plugin, created: Resource, inputs: Properties, tmp_path: Path
) -> None:
    write_chart(tmp_path, values={"message": "another default"})

    assert not plugin.diff(created, inputs).changes


def test_read_of_an_unchanged_release(
    plugin: Plugin, created: Resource, inputs: Properties
) -> None:
    reading = plugin.read(created)

    assert reading == created
    assert not plugin.diff(reading, inputs).changes


def test_upgraded_by_someone_else(
    plugin: Plugin,
    created: Resource,
    inputs: Properties,
    chart: Path,
    namespace: str,
    outsider: Outsider,
    configuration: Callable[[], Any],
) -> None:
    outsider.run(
        *("upgrade", "example", str(chart), "--namespace", namespace),
        *("--set", "message=theirs,more=1"),
    )

    reading = plugin.read(created)

    assert reading is not None
    assert reading.inputs == created.inputs
    assert reading.state["status"] == _status(namespace, 2)
    # Values that only they set are theirs; those that the program set as well are drift.
    assert reading.state["values"] == {
        "message": "theirs",
        "more": 1,
        "nested": {"list": [1, "two"]},
    }
    assert plugin.diff(reading, inputs).detailed == {"values.message": "UPDATE"}
    mended = plugin.update(reading, inputs)
    assert configuration()["message"] == "hello"
    assert not plugin.diff(mended, inputs).changes


def test_uninstalled_by_someone_else(
    plugin: Plugin, created: Resource, namespace: str, outsider: Outsider
) -> None:
    outsider.run("uninstall", "example", "--namespace", namespace)

    assert plugin.read(created) is None
    with pytest.raises(RefusedError) as refused:
        plugin.delete(created)
    assert str(refused.value) == ("uninstall: Release not loaded: example: release: not found")


def test_delete(
    plugin: Plugin,
    created: Resource,
    namespace: str,
    outsider: Outsider,
    configuration: Callable[[], Any],
) -> None:
    plugin.delete(created)

    assert configuration() is None
    assert outsider.releases(namespace) == []


def test_name_in_use(
    plugin: Plugin, created: Resource, inputs: Properties, namespace: str, outsider: Outsider
) -> None:
    with pytest.raises(RefusedError) as refused:
        plugin.create(RELEASE, {**inputs, "values": {"message": "mine"}})

    # Nothing of the other's release may get into a state.
    assert str(refused.value) == "cannot re-use a name that is still in use"
    assert outsider.values(namespace) == created.inputs["values"]


def test_autonaming(plugin: Plugin, chart: Path, namespace: str, outsider: Outsider) -> None:
    unnamed = release(chart, namespace)
    del unnamed["name"]

    created = plugin.create(RELEASE, unnamed, name="unnamed")

    name = str(created.inputs["name"])
    assert re.fullmatch(r"unnamed-[0-9a-f]{8}", name)
    assert created.id == f"{namespace}/{name}"
    assert outsider.status(namespace, name) == "deployed"
    assert not plugin.diff(created, unnamed).changes


def test_preview_of_a_new_release(
    plugin: Plugin, inputs: Properties, namespace: str, outsider: Outsider
) -> None:
    previewed = plugin.create(RELEASE, inputs, preview=True)

    assert previewed.id == ""
    assert previewed.state["status"] is UNKNOWN
    assert previewed.state["resourceNames"] is UNKNOWN
    assert previewed.state["name"] == "example"
    assert previewed.state["version"] == "1.0.0"
    assert outsider.releases(namespace) == []


def test_preview_of_an_update(
    plugin: Plugin, created: Resource, inputs: Properties, namespace: str, outsider: Outsider
) -> None:
    changed: Properties = {**inputs, "values": {"message": "changed"}}

    previewed = plugin.update(created, changed, preview=True)

    assert previewed.state["status"] is UNKNOWN
    assert previewed.state["resourceNames"] is UNKNOWN
    assert previewed.state["values"] == {"message": "changed"}
    assert previewed.state["namespace"] == namespace
    assert len(outsider.history(namespace)) == 1


def test_preview_with_an_unknown_value(
    plugin: Plugin, created: Resource, inputs: Properties
) -> None:
    values: Properties = {"message": UNKNOWN, "nested": {"list": [1, UNKNOWN]}, "more": UNKNOWN}
    unknown: Properties = {**inputs, "values": values}
    # As long as something is unknown the chart is not looked for.
    nowhere: Properties = {**unknown, "chart": "./nowhere", "repositoryOpts": {"repo": UNKNOWN}}

    previewed = plugin.create(RELEASE, unknown, name="another", preview=True)
    difference = plugin.diff(created, {**unknown, "version": "1.0.0"})
    changed = plugin.update(created, unknown, preview=True)
    elsewhere = plugin.create(RELEASE, nowhere, name="another", preview=True)

    assert previewed.inputs["values"] == previewed.state["values"] == values
    assert previewed.inputs["version"] == ""
    assert difference.detailed == {
        "values.message": "UPDATE",
        "values.nested.list[1]": "UPDATE",
        "values.more": "ADD",
    }
    assert changed.state["values"] == values
    repository: Any = elsewhere.inputs["repositoryOpts"]
    assert repository["repo"] is UNKNOWN


def test_preview_with_unknown_fields(plugin: Plugin, chart: Path, namespace: str) -> None:
    inputs = release(chart, namespace, description=UNKNOWN, timeout=UNKNOWN, values=UNKNOWN)

    previewed = plugin.create(RELEASE, inputs, preview=True)

    for field in ("description", "timeout", "values"):
        assert previewed.inputs[field] is UNKNOWN
        assert previewed.state[field] is UNKNOWN


def test_import(plugin: Plugin, created: Resource, inputs: Properties, namespace: str) -> None:
    imported = plugin.import_(RELEASE, created.id)

    assert imported is not None
    assert imported.id == created.id
    # The chart is known by its name only, and helm does not tell what else was asked for.
    assert imported.inputs == {
        **UNSET,
        "chart": "example",
        "name": "example",
        "namespace": namespace,
        "timeout": 0,
        "values": inputs["values"],
        "version": "1.0.0",
    }
    assert reveal_properties(imported.state) == {
        **imported.inputs,
        "__inputs": imported.inputs,
        "resourceNames": {"ConfigMap/v1": ["example-configuration"]},
        "status": _status(namespace, 1),
    }
    assert plugin.diff(imported, inputs).detailed == {"chart": "UPDATE", "timeout": "UPDATE"}


def test_import_by_name_only(
    plugin: Plugin, chart: Path, namespace: str, outsider: Outsider
) -> None:
    name = f"{namespace}.only"
    outsider.run("install", name, str(chart), "--namespace", namespace)

    imported = plugin.import_(RELEASE, name)

    assert imported is not None
    assert imported.id == name
    assert imported.inputs["namespace"] == namespace


@pytest.mark.parametrize("resource_id", ["default/not-there", "not-there"])
def test_import_of_what_is_not_there(plugin: Plugin, resource_id: str) -> None:
    assert plugin.import_(RELEASE, resource_id) is None
