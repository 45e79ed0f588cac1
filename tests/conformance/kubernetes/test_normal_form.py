"""Inputs written in other ways than the server gives them back make no difference."""

from typing import Any

import pytest

from lab.plugins.kubernetes.difference import changes, format_path, parse_path
from lab.plugins.kubernetes.redaction import redacted
from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Properties, Secret
from tests.conformance.harness import Plugin, RefusedError
from tests.conformance.kubernetes.conftest import ConfiguredPlugin

DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def _deployment(namespace: str, pod: dict[str, Any], container: dict[str, Any]) -> Properties:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "example",
            "namespace": namespace,
            "annotations": {},
            "creationTimestamp": None,
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "example"}},
            "strategy": {},
            "template": {
                "metadata": {"labels": {"app": "example"}},
                "spec": {
                    "containers": [{"name": "main", "image": "example.invalid/a", **container}],
                    **pod,
                },
            },
        },
    }


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        (1, "1"),
        (0.25, "250m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000", "1k"),
        ("1023Ki", "1023Ki"),
        ("0", "0"),
        ("1e3", "1e3"),
    ],
)
def test_quantities(plugin: Plugin, namespace: str, written: Any, canonical: str) -> None:
    inputs = _deployment(namespace, {}, {"resources": {"limits": {"memory": written}}})

    created = plugin.create(DEPLOYMENT, inputs)

    for kept in (created.inputs, created.state):
        value: Any = kept
        container = value["spec"]["template"]["spec"]["containers"][0]
        assert container["resources"]["limits"] == {"memory": canonical}
    assert not plugin.diff(created, inputs).changes


@pytest.mark.parametrize(
    "pod",
    [
        {"hostNetwork": False, "hostPID": False},
        {"nodeName": "", "hostname": "", "nodeSelector": {}, "tolerations": []},
        {"volumes": [{"name": "v", "emptyDir": {}}]},
        {"securityContext": {}, "automountServiceAccountToken": False},
        {"terminationGracePeriodSeconds": 0, "priorityClassName": None},
        {"volumes": [{"name": "v", "hostPath": {"path": "/v", "type": ""}}]},
    ],
    ids="-".join,
)
def test_what_is_the_same_as_nothing(plugin: Plugin, namespace: str, pod: dict[str, Any]) -> None:
    container = {
        "args": [],
        "stdin": False,
        "env": [{"name": "A", "value": ""}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 0},
        "ports": [{"containerPort": 80, "hostPort": 0, "name": ""}],
        "securityContext": {"privileged": False, "capabilities": {"add": []}},
    }
    inputs = _deployment(namespace, pod, container)

    created = plugin.create(DEPLOYMENT, inputs)
    updated = plugin.update(created, inputs)

    assert not plugin.diff(created, inputs).changes
    assert not plugin.diff(updated, inputs).changes


def test_what_is_not_the_same_as_nothing(plugin: Plugin, namespace: str) -> None:
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {},
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "v", "emptyDir": {}}],
    }

    checked = plugin.check(DEPLOYMENT, _deployment(namespace, pod, {}))

    inputs: Any = checked.inputs
    assert inputs["spec"]["strategy"] == {}
    template = inputs["spec"]["template"]["spec"]
    assert {key: template[key] for key in pod} == pod


def test_values_of_a_wrong_type_are_left_to_the_server(plugin: Plugin, namespace: str) -> None:
    inputs = _deployment(namespace, {"hostNetwork": "no"}, {})

    with pytest.raises(RefusedError, match="hostNetwork"):
        plugin.create(DEPLOYMENT, inputs)


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("spec.replicas", ("spec", "replicas")),
        ("rules[0].verbs[*]", ("rules", 0, "verbs", "*")),
        ('metadata.annotations["a.b/c"]', ("metadata", "annotations", "a.b/c")),
        (r'["quo\"ted"]', ('quo"ted',)),
    ],
)
def test_paths(written: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(written) == path
    if "*" not in path:
        assert format_path(path) == written


def test_path_that_cannot_be_read() -> None:
    with pytest.raises(ProviderError, match=r"'a\[' at '\['"):
        parse_path("a[")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": True}, {"a": "UPDATE"}),
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": [1, 2]}, {"a": [1]}, {"a[1]": "DELETE"}),
        ({"a": {"b": 1}}, {"a": [1]}, {"a": "UPDATE"}),
        ({"a": None}, {"a": None}, {}),
        ({"a": 1}, {"a": None}, {"a": "DELETE"}),
        ({"a": 1}, {}, {"a": "DELETE"}),
        ({}, {"id": {"name": "x"}}, {"id": "ADD_REPLACE"}),
        ({"id": {"name": "x"}}, {"id": {}}, {"id.name": "DELETE_REPLACE"}),
        ({"id": {"name": {"a": 1}}}, {"id": {"name": {"a": 2}}}, {"id.name.a": "UPDATE_REPLACE"}),
        ({}, {"id": {"other": "x"}}, {"id": "ADD"}),
    ],
)
def test_differences(old: Properties, new: Properties, expected: dict[str, str]) -> None:
    found = changes(old, new, [("id", "name")], [])

    assert {path: change.kind.name for path, change in found.items()} == expected


def test_redaction() -> None:
    sent: Properties = {"spec": {"token": Secret("hunter22"), "plain": "harmless"}}

    assert (
        redacted("bad hunter22, harmless aHVudGVyMjI=", sent) == "bad [secret], harmless [secret]"
    )
    assert redacted('invalid, error found in #10 byte of ..."hunt', sent) == "invalid"
    assert redacted("hunter22, error found in #1", {"spec": {}}) == "hunter22, error found in #1"


def test_inputs_are_kept_as_they_are_without_a_cluster(
    configured_plugin: ConfiguredPlugin,
) -> None:
    with configured_plugin({"context": "not-there"}) as plugin:
        checked = plugin.check(DEPLOYMENT, _deployment("here", {"hostNetwork": False}, {}))

    inputs: Any = checked.inputs
    assert checked.failures == []
    assert inputs["spec"]["template"]["spec"]["hostNetwork"] is False
    assert "creationTimestamp" not in inputs["metadata"]
