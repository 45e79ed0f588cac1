"""Types that write some fields of an object that is somebody else's, and give them back."""

import time
from typing import Any

import pytest

from lab.plugins.kubernetes.kinds import kind_of
from lab.plugins.provider.values import UNKNOWN, Properties
from tests.conformance.harness import PartialError, Plugin, RefusedError, Resource
from tests.conformance.kubernetes.conftest import ConfiguredPlugin
from tests.conformance.kubernetes.server import Server

PATCH = "kubernetes:apps/v1:DeploymentPatch"
WIDGET_PATCH = "kubernetes:conformance.example/v1:WidgetPatch"
THEIRS: Properties = {"name": "main", "image": "example.invalid/app:1"}
THEIR_VOLUME: Properties = {"name": "theirs", "emptyDir": {}}


def _metadata(namespace: str, **annotations: str) -> Properties:
    given: Properties = {"name": "example", "namespace": namespace}
    if annotations:
        given["annotations"] = {f"pulumi.com/{key}": each for key, each in annotations.items()}
    return given


def _patch(namespace: str, pod: Properties, **annotations: str) -> Properties:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(namespace, **annotations),
        "spec": {"template": {"spec": pod}},
    }


def _beside(image: str = "example.invalid/ours:1") -> Properties:
    """A container beside theirs."""
    return {"containers": [{"name": "main"}, {"name": "ours", "image": image}]}


def _widget_patch(namespace: str, spec: Properties, **annotations: str) -> Properties:
    return {
        "apiVersion": "conformance.example/v1",
        "kind": "Widget",
        "metadata": _metadata(namespace, **annotations),
        "spec": spec,
    }


@pytest.fixture
def deployment(server: Server, namespace: str) -> Any:
    """A Deployment that kubectl has applied."""
    created: Properties = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(namespace),
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "example"}},
            "template": {
                "metadata": {"labels": {"app": "example"}},
                "spec": {"containers": [THEIRS], "volumes": [THEIR_VOLUME]},
            },
        },
    }
    return server.create(created, manager="kubectl-client-side-apply")


def _live(server: Server, namespace: str) -> Any:
    return server.find("apps/v1", "Deployment", namespace, "example")


def _owners(live: Any) -> set[str]:
    """Who manages fields of the object itself, its controller left out."""
    found = {each["manager"] for each in live["metadata"]["managedFields"]}
    return found - {"kube-controller-manager"}


def _images(live: Any) -> dict[str, str]:
    containers = live["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each["image"] for each in containers}


def test_fields_are_added_and_awaited_and_nothing_is_taken(
    plugin: Plugin, server: Server, namespace: str, deployment: Any
) -> None:
    created = plugin.create(PATCH, _patch(namespace, _beside(), patchFieldManager="ours"))

    live = _live(server, namespace)
    assert created.id == f"{namespace}/example"
    assert _images(live) == {"main": THEIRS["image"], "ours": "example.invalid/ours:1"}
    assert _owners(live) == {"kubectl-client-side-apply", "ours"}
    assert created.state["__fieldManager"] == "ours"
    # The rollout is awaited, as that of a Deployment of one's own.
    assert live["metadata"]["generation"] == deployment["metadata"]["generation"] + 1
    status: Any = created.state["status"]
    assert status["observedGeneration"] == live["metadata"]["generation"]
    assert not plugin.diff(created, _patch(namespace, _beside(), patchFieldManager="ours")).changes


def test_an_update_leaves_to_others_what_is_theirs(
    plugin: Plugin, server: Server, namespace: str, deployment: Any
) -> None:
    created = plugin.create(PATCH, _patch(namespace, _beside(), patchFieldManager="ours"))
    newer = _patch(namespace, _beside("example.invalid/ours:2"), patchFieldManager="ours")

    difference = plugin.diff(created, newer)
    assert difference.detailed == {"spec.template.spec.containers[1].image": "UPDATE"}
    previewed = plugin.update(created, newer, preview=True)
    assert _images(previewed.state)["ours"] == "example.invalid/ours:2"
    assert _images(_live(server, namespace))["ours"] == "example.invalid/ours:1"
    plugin.update(created, newer)

    live = _live(server, namespace)
    assert _images(live)["ours"] == "example.invalid/ours:2"
    # kubectl's fields, which an object of one's own would have taken over.
    assert _owners(live) == {"kubectl-client-side-apply", "ours"}
    assert deployment["spec"]["selector"] == live["spec"]["selector"]


def test_a_deletion_gives_back_and_deletes_nothing(
    plugin: Plugin, server: Server, namespace: str, deployment: Any
) -> None:
    created = plugin.create(PATCH, _patch(namespace, _beside()))

    plugin.delete(created)

    live = _live(server, namespace)
    assert live["spec"] == deployment["spec"]
    assert _owners(live) == {"kubectl-client-side-apply"}
    assert "pulumi" not in str(live["metadata"].get("annotations"))
    assert live["metadata"]["uid"] == deployment["metadata"]["uid"]


@pytest.mark.usefixtures("deployment")
def test_what_the_object_cannot_be_without_is_not_given_back(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    taken: Properties = {"containers": [{"name": "main", "image": "example.invalid/other:1"}]}
    created = plugin.create(PATCH, _patch(namespace, taken, patchForce="true"))

    with pytest.raises(RefusedError, match="currently managing a required field") as refused:
        plugin.delete(created)

    assert "spec.template.spec.containers[0].image" in str(refused.value)
    assert _images(_live(server, namespace)) == {"main": "example.invalid/other:1"}


def test_others_fields_are_a_conflict(
    plugin: Plugin, server: Server, namespace: str, deployment: Any
) -> None:
    other: Properties = {"containers": [{"name": "main", "image": "example.invalid/other:1"}]}

    with pytest.raises(RefusedError, match="server-side apply field conflict detected") as refused:
        plugin.create(PATCH, _patch(namespace, other))

    assert 'conflict with "kubectl-client-side-apply"' in str(refused.value)
    assert _live(server, namespace)["spec"] == deployment["spec"]


@pytest.mark.parametrize("annotation", [{}, {"patchForce": "false"}])
@pytest.mark.usefixtures("deployment")
def test_configured_force_takes_them_whatever_the_annotation_says(
    configured_plugin: ConfiguredPlugin,
    server: Server,
    namespace: str,
    annotation: dict[str, str],
) -> None:
    other: Properties = {"containers": [{"name": "main", "image": "example.invalid/other:1"}]}

    with configured_plugin({"enablePatchForce": "true"}) as plugin:
        plugin.create(PATCH, _patch(namespace, other, **annotation))

    assert _images(_live(server, namespace)) == {"main": "example.invalid/other:1"}


@pytest.mark.usefixtures("deployment")
def test_what_comes_after_others_in_a_list_always_differs(plugin: Plugin, namespace: str) -> None:
    """Lists are compared place by place, whatever their elements are called."""
    ours: Properties = {"volumes": [{"name": "ours", "emptyDir": {"medium": "Memory"}}]}

    created = plugin.create(PATCH, _patch(namespace, ours))

    assert [each["name"] for each in _volumes(created.state)] == ["theirs", "ours"]
    for _ in range(2):
        difference = plugin.diff(created, _patch(namespace, ours))
        assert difference.detailed == {
            "spec.template.spec.volumes[0].emptyDir.medium": "ADD",
            "spec.template.spec.volumes[0].name": "UPDATE",
        }
        created = plugin.update(created, _patch(namespace, ours))


def _volumes(state: Any) -> list[Any]:
    found: list[Any] = state["spec"]["template"]["spec"]["volumes"]
    return found


def test_a_refresh_finds_what_others_did(
    plugin: Plugin, server: Server, namespace: str, deployment: Any
) -> None:
    created = plugin.create(PATCH, _patch(namespace, _beside()))
    server.change(deployment, {"spec": {"template": {"spec": {"containers": [THEIRS]}}}})

    drifted = _read_once_rolled_out(plugin, created)

    assert drifted is not None
    assert plugin.diff(drifted, _patch(namespace, _beside())).detailed == {
        "spec.template.spec.containers[1]": "ADD"
    }
    plugin.update(drifted, _patch(namespace, _beside()))
    assert set(_images(_live(server, namespace))) == {"main", "ours"}
    server.remove(deployment)
    assert plugin.read(created) is None


def _read_once_rolled_out(plugin: Plugin, resource: Resource) -> Resource | None:
    deadline = time.monotonic() + 15
    while True:
        try:
            return plugin.read(resource)
        except PartialError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_preview_shows_the_inputs_only(plugin: Plugin, namespace: str) -> None:
    """It asks the server nothing: the object need not be there."""
    previewed = plugin.create(PATCH, _patch(namespace, _beside()), preview=True)

    assert (previewed.id, previewed.state) == ("", previewed.inputs)


def test_a_deployment_that_is_not_there_is_not_made(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    with pytest.raises(RefusedError, match="selector: Required value"):
        plugin.create(PATCH, _patch(namespace, _beside()))

    assert _live(server, namespace) is None


def test_a_rollout_that_fails_is_told(
    plugin: Plugin, server: Server, namespace: str, deployment: Any
) -> None:
    server.change(deployment, {"spec": {"replicas": 1}})

    with pytest.raises(PartialError) as failed:
        plugin.create(PATCH, _patch(namespace, _beside(), timeoutSeconds="2"))

    assert failed.value.id == f"{namespace}/example"
    assert "'example' timed out waiting to be Ready" in failed.value.reasons[0]
    assert set(_images(failed.value.state)) == {"main", "ours"}


def test_another_name_is_another_object(plugin: Plugin, namespace: str, deployment: Any) -> None:
    created = plugin.create(PATCH, _patch(namespace, _beside()))
    elsewhere: Any = _patch(namespace, _beside())
    elsewhere["metadata"]["name"] = "other"
    other_selector: Any = _patch(namespace, _beside())
    other_selector["spec"]["selector"] = deployment["spec"]["selector"]

    assert plugin.diff(created, elsewhere).replaces == ["metadata.name"]
    assert plugin.diff(created, other_selector).replaces == []


def test_a_patch_needs_the_objects_name(plugin: Plugin, namespace: str) -> None:
    nameless: Any = _patch(namespace, _beside())
    del nameless["metadata"]["name"]

    with pytest.raises(RefusedError, match=r"require the `\.metadata\.name` field to be set"):
        plugin.check(PATCH, nameless)
    nameless["metadata"]["name"] = UNKNOWN
    assert plugin.check(PATCH, nameless).failures == []


def test_custom_resources_are_patched_too(plugin: Plugin, server: Server, namespace: str) -> None:
    theirs: Properties = {
        "apiVersion": "conformance.example/v1",
        "kind": "Widget",
        "metadata": _metadata(namespace),
        "spec": {"size": 1},
    }
    server.create(theirs)

    created = plugin.create(WIDGET_PATCH, _widget_patch(namespace, {"colour": "red"}))
    assert not plugin.diff(created, _widget_patch(namespace, {"colour": "red"})).changes
    found = server.find("conformance.example/v1", "Widget", namespace, "example")
    assert found["spec"] == {"size": 1, "colour": "red"}

    plugin.delete(created)
    found = server.find("conformance.example/v1", "Widget", namespace, "example")
    assert found["spec"] == {"size": 1}


def test_a_custom_resource_that_is_not_there_is_made(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    plugin.create(WIDGET_PATCH, _widget_patch(namespace, {"colour": "red"}))

    assert server.find("conformance.example/v1", "Widget", namespace, "example") is not None


def test_tokens() -> None:
    assert kind_of(PATCH).is_patch
    assert kind_of(PATCH).token == PATCH
    assert kind_of(WIDGET_PATCH).is_named_as_patch
    assert kind_of(WIDGET_PATCH).patched().token == WIDGET_PATCH
    assert not kind_of("kubernetes:conformance.example/v1:Widget").is_named_as_patch
    assert not kind_of("kubernetes:conformance.example/v1:Patch").is_named_as_patch
