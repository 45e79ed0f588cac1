"""Fields that others write: taken over, left alone, or a conflict."""

from typing import Any

import pytest

from lab.plugins.kubernetes.ownership import leaving_ignored, taken_over
from lab.plugins.provider.values import Properties
from tests.conformance.harness import PartialError, Plugin, Resource
from tests.conformance.kubernetes.conftest import ConfiguredPlugin
from tests.conformance.kubernetes.server import Server

ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
API_VERSION = "rbac.authorization.k8s.io/v1"
OTHER_RULES: list[Any] = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}]


def _role(namespace: str, verb: str, **annotations: str) -> Properties:
    return {
        "apiVersion": API_VERSION,
        "kind": "Role",
        "metadata": {
            "name": "example",
            "namespace": namespace,
            "annotations": {f"pulumi.com/{key}": value for key, value in annotations.items()},
        },
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}],
    }


def _live(server: Server, namespace: str) -> Any:
    return server.find(API_VERSION, "Role", namespace, "example")


def _managers(live: Any) -> set[tuple[str, str]]:
    return {(each["manager"], each["operation"]) for each in live["metadata"]["managedFields"]}


@pytest.fixture
def role(plugin: Plugin, namespace: str) -> Resource:
    return plugin.create(ROLE, _role(namespace, "get"))


def test_created_and_then_applied(
    plugin: Plugin, role: Resource, server: Server, namespace: str
) -> None:
    assert _managers(_live(server, namespace)) == {("pulumi-kubernetes", "Update")}

    plugin.update(role, _role(namespace, "list"))

    manager = str(role.state["__fieldManager"])
    assert _managers(_live(server, namespace)) == {(manager, "Apply")}


def test_another_manager_is_a_conflict(
    plugin: Plugin, role: Resource, server: Server, namespace: str
) -> None:
    server.change(_live(server, namespace), {"rules": OTHER_RULES})
    drifted = plugin.read(role)
    assert drifted is not None
    assert plugin.diff(drifted, _role(namespace, "get")).changes

    for preview in (False, True):
        with pytest.raises(PartialError) as refused:
            plugin.update(drifted, _role(namespace, "get"), preview=preview)

        assert refused.value.id == f"{namespace}/example"
        assert "server-side apply field conflict detected" in refused.value.reasons[0]
        assert 'conflict with "someone-else"' in refused.value.reasons[0]
        assert refused.value.state["rules"] == OTHER_RULES
    assert _live(server, namespace)["rules"] == OTHER_RULES


def test_conflict_is_forced_by_annotation(
    plugin: Plugin, role: Resource, server: Server, namespace: str
) -> None:
    server.change(_live(server, namespace), {"rules": OTHER_RULES})

    mended = plugin.update(role, _role(namespace, "get", patchForce="true"))

    assert _live(server, namespace)["rules"] == mended.state["rules"] != OTHER_RULES


def test_conflict_is_forced_by_configuration(
    configured_plugin: ConfiguredPlugin, role: Resource, server: Server, namespace: str
) -> None:
    server.change(_live(server, namespace), {"rules": OTHER_RULES})

    with configured_plugin({"enablePatchForce": "true"}) as plugin:
        mended = plugin.update(role, _role(namespace, "get"))

    assert _live(server, namespace)["rules"] == mended.state["rules"] != OTHER_RULES


def test_what_a_user_changed_by_hand_is_taken_over(
    plugin: Plugin, role: Resource, server: Server, namespace: str
) -> None:
    updated = plugin.update(role, _role(namespace, "list"))
    server.change(_live(server, namespace), {"rules": OTHER_RULES}, manager="kubectl-edit")

    mended = plugin.update(updated, _role(namespace, "list"))

    assert mended.state["rules"] == _role(namespace, "list")["rules"]
    manager = str(role.state["__fieldManager"])
    assert _managers(_live(server, namespace)) == {(manager, "Apply")}


def test_fields_of_others_stay(
    plugin: Plugin, role: Resource, server: Server, namespace: str
) -> None:
    server.change(_live(server, namespace), {"metadata": {"labels": {"theirs": "yes"}}})

    updated = plugin.update(role, _role(namespace, "list"))

    assert _live(server, namespace)["metadata"]["labels"] == {"theirs": "yes"}
    assert not plugin.diff(updated, _role(namespace, "list")).changes


def test_field_manager_of_the_program(
    plugin: Plugin, role: Resource, server: Server, namespace: str
) -> None:
    updated = plugin.update(role, _role(namespace, "list"))
    renamed = plugin.update(updated, _role(namespace, "list", patchFieldManager="ours"))

    assert renamed.state["__fieldManager"] == "ours"
    # The manager before it has let go of every field.
    managers = {name for name, _ in _managers(_live(server, namespace))}
    assert managers == {"ours"}


def test_ignored_change_is_no_difference(plugin: Plugin, role: Resource, namespace: str) -> None:
    changed = _role(namespace, "list", timeoutSeconds="5")

    difference = plugin.diff(role, changed, ignore_changes=["rules[*].verbs"])

    assert difference.detailed == {"metadata.annotations": "ADD"}


def _seen(manager: str, fields: Properties) -> Properties:
    return {
        "metadata": {
            "managedFields": [
                {"manager": "ours", "operation": "Apply", "fieldsV1": {"f:spec": {"f:ours": {}}}},
                {"manager": manager, "operation": "Update", "fieldsV1": fields},
            ]
        },
        "spec": {"ours": "live", "theirs": "live", "both": "live"},
    }


@pytest.mark.parametrize(
    ("ignored", "expected"),
    [
        ([], {"ours": "new", "theirs": "new"}),
        (["spec.theirs"], {"ours": "new"}),  # claiming it would be a conflict
        (["spec.ours"], {"ours": "live", "theirs": "new"}),  # leaving it out would remove it
        (["spec.both"], {"ours": "new", "theirs": "new", "both": "live"}),
        (["spec.missing"], {"ours": "new", "theirs": "new"}),
    ],
)
def test_what_is_applied_of_ignored_fields(ignored: list[str], expected: Properties) -> None:
    live = _seen("theirs", {"f:spec": {"f:theirs": {}}})
    inputs: Properties = {"spec": {"ours": "new", "theirs": "new"}}

    assert leaving_ignored(inputs, live, "ours", ignored)["spec"] == expected


def test_fields_of_forerunners_are_united() -> None:
    live = _seen("kubectl-edit", {"f:spec": {"f:theirs": {}}})

    operations: Any = taken_over(live, "ours")

    assert [each["path"] for each in operations] == ["/metadata/managedFields"]
    (entry,) = operations[0]["value"]
    assert (entry["manager"], entry["operation"]) == ("ours", "Apply")
    assert entry["fieldsV1"] == {"f:spec": {"f:ours": {}, "f:theirs": {}}}
    assert taken_over(_seen("controller", {}), "ours") == []
