"""Fields of a release, one by one: what they do, what is refused, what the user is told."""

import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from typing_extensions import override

from lab.plugins.provider.values import Properties, Secret, Value
from tests.conformance.harness import PartialError, Plugin, RefusedError, urn_of
from tests.conformance.kubernetes.helm.charts import (
    CONFIGURATION,
    RELEASE,
    release,
    slow_chart,
    write_chart,
)
from tests.conformance.kubernetes.helm.conftest import HelmPlugin, Outsider
from tests.conformance.kubernetes.server import Server

GADGETS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: {name}.release.example}
spec:
  group: release.example
  scope: Namespaced
  names: {kind: {kind}, plural: {name}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
"""

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: example}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "example.invalid/app:1"}]
"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return write_chart(tmp_path)


def test_namespace_is_made_where_asked_for(
    plugin: Plugin, chart: Path, namespace: str, server: Server, outsider: Outsider
) -> None:
    missing = f"{namespace}-made"
    inputs = release(chart, missing)

    with pytest.raises(RefusedError, match=f'namespaces "{missing}" not found'):
        plugin.create(RELEASE, inputs)
    created = plugin.create(RELEASE, {**inputs, "createNamespace": True})

    assert created.id == f"{missing}/example"
    assert outsider.status(missing) == "deployed"
    # It stays: others may have come to live in it.
    plugin.delete(created)
    assert server.find("v1", "Namespace", "", missing) is not None


def test_namespace_of_the_provider(
    helm_plugin: HelmPlugin, plugin: Plugin, chart: Path, namespace: str
) -> None:
    inputs = release(chart, namespace)
    del inputs["namespace"]

    with helm_plugin(inputs={"namespace": namespace}) as configured:
        created = configured.create(RELEASE, inputs)
    usual = plugin.check(RELEASE, inputs)

    assert created.id == f"{namespace}/example"
    assert usual.inputs["namespace"] == "default"


@pytest.mark.parametrize(
    ("fields", "timeout"),
    [
        ({}, 300),
        ({"timeout": 7}, 7),
        ({"timeout": 0}, 0),
        ({"skipAwait": True}, 0),
        ({"skipAwait": True, "timeout": 7}, 7),
    ],
)
def test_default_of_the_timeout(
    plugin: Plugin, chart: Path, namespace: str, fields: Properties, timeout: int
) -> None:
    checked = plugin.check(RELEASE, release(chart, namespace, **fields))

    assert checked.inputs["timeout"] == timeout


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("atomic", "yes", "atomic: expected true or false, not text"),
        ("chart", 1, "chart: expected text, not a number"),
        ("timeout", "5m", "timeout: expected a number, not text"),
        ("timeout", -1, "timeout: expected a number of 0 or more, not -1"),
        ("maxHistory", True, "maxHistory: expected a number, not a truth value"),
        ("values", [1], "values: expected an object, not a list"),
        ("values", Secret("hidden"), "values: expected an object, not text"),
        ("repositoryOpts", "https://x", "repositoryOpts: expected an object, not text"),
        ("repositoryOpts.repo", {"repo": 1}, "repositoryOpts.repo: expected text, not a number"),
        ("repositoryOpts.url", {"url": "x"}, "has no field 'url'"),
        ("attomic", True, "has no field 'attomic'"),
    ],
)
def test_wrong_fields_are_refused_by_name(
    plugin: Plugin, chart: Path, namespace: str, field: str, value: Value, reason: str
) -> None:
    inputs: Properties = {**release(chart, namespace), field.partition(".")[0]: value}

    failures = plugin.check(RELEASE, inputs).failures

    assert [path for path, _ in failures] == [field]
    assert reason in failures[0][1]
    assert "hidden" not in failures[0][1]


def test_what_the_sdk_sends_without_effect(plugin: Plugin, chart: Path, namespace: str) -> None:
    inputs = release(
        chart, namespace, manifest={"a": 1}, resourceNames={"ConfigMap/v1": ["x"]}, compat="true"
    )

    checked = plugin.check(RELEASE, inputs)

    assert checked.failures == []
    assert checked.inputs.keys() & {"compat", "manifest", "resourceNames"} == set()


@pytest.mark.parametrize("skips", [False, True])
def test_definitions_of_the_chart(
    plugin: Plugin, tmp_path: Path, namespace: str, server: Server, skips: bool
) -> None:
    plural = f"gadgets-{namespace}"
    chart = write_chart(tmp_path)
    (chart / "crds").mkdir()
    definition = GADGETS.replace("{name}", plural).replace("{kind}", plural.title())
    (chart / "crds" / "gadget.yaml").write_text(definition)

    plugin.create(RELEASE, release(chart, namespace, skipCrds=skips))

    name = f"{plural}.release.example"
    found = server.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name)
    assert (found is None) is skips


def test_description(plugin: Plugin, chart: Path, namespace: str, outsider: Outsider) -> None:
    inputs = release(chart, namespace, description="--as the program says")
    created = plugin.create(RELEASE, inputs)
    plugin.update(created, {**inputs, "description": "and now another"})

    assert [each["description"] for each in outsider.history(namespace)] == [
        "--as the program says",
        "and now another",
    ]


def test_limited_history(plugin: Plugin, chart: Path, namespace: str, outsider: Outsider) -> None:
    inputs = release(chart, namespace, values={"message": "1"})
    resource = plugin.create(RELEASE, inputs)
    for message in ("2", "3"):
        resource = plugin.update(resource, {**inputs, "values": {"message": message}})
    assert len(outsider.history(namespace)) == 3

    plugin.update(resource, {**inputs, "maxHistory": 2})

    assert [each["revision"] for each in outsider.history(namespace)] == [3, 4]


def test_postrender(
    plugin: Plugin, chart: Path, namespace: str, tmp_path: Path, configuration: Callable[[], Any]
) -> None:
    script = tmp_path / "render"
    script.write_text("#!/bin/sh\nsed 's/plain/rendered/'\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    inputs = release(chart, namespace, postrender=str(script), values={"message": "plain"})

    created = plugin.create(RELEASE, inputs)
    assert configuration()["message"] == "rendered"
    plugin.update(created, {**inputs, "values": {"message": "plain again"}})
    assert configuration()["message"] == "rendered again"


def test_lint_is_for_upgrades(
    plugin: Plugin, tmp_path: Path, namespace: str, outsider: Outsider
) -> None:
    chart = write_chart(tmp_path)
    # Helm installs such a chart; only lint minds.
    (chart / "templates" / "no-template.exe").write_text("")
    inputs = release(chart, namespace, lint=True)
    created = plugin.create(RELEASE, inputs)
    changed: Properties = {**inputs, "values": {"message": "changed"}}

    with pytest.raises(RefusedError) as refused:
        plugin.update(created, changed)
    assert str(refused.value).startswith("malformed chart or values: ")
    assert "no-template.exe" in str(refused.value)
    assert len(outsider.history(namespace)) == 1

    (chart / "templates" / "no-template.exe").unlink()
    plugin.update(created, changed)
    assert len(outsider.history(namespace)) == 2


def test_jobs_are_awaited_where_asked_for(plugin: Plugin, tmp_path: Path, namespace: str) -> None:
    # Without a node it never runs.
    chart = write_chart(tmp_path, templates={"job.yaml": JOB})
    inputs = release(chart, namespace, timeout=4)

    created = plugin.create(RELEASE, inputs)
    with pytest.raises(PartialError):
        plugin.update(created, {**inputs, "waitForJobs": True, "values": {"message": "2"}})
    # Not to wait at all includes them.
    both: Properties = {"waitForJobs": True, "skipAwait": True}
    plugin.update(created, {**inputs, **both, "values": {"message": "3"}})


@pytest.mark.parametrize("cleans_up", [False, True])
def test_what_a_failed_upgrade_leaves(
    plugin: Plugin, tmp_path: Path, namespace: str, server: Server, cleans_up: bool
) -> None:
    inputs = release(write_chart(tmp_path), namespace, timeout=4, cleanupOnFail=cleans_up)
    created = plugin.create(RELEASE, inputs)
    slow_chart(tmp_path)

    with pytest.raises(PartialError):
        plugin.update(created, {**inputs, "values": {"replicas": 1}})

    found = server.find("apps/v1", "Deployment", namespace, "example")
    assert (found is None) is cleans_up


def test_a_release_that_others_replaced(
    plugin: Plugin, chart: Path, namespace: str, outsider: Outsider
) -> None:
    inputs = release(chart, namespace)
    plugin.create(RELEASE, inputs)
    outsider.run("uninstall", "example", "--namespace", namespace, "--keep-history")

    with pytest.raises(RefusedError, match="cannot re-use a name that is still in use"):
        plugin.create(RELEASE, inputs)
    created = plugin.create(RELEASE, {**inputs, "replace": True})

    status: Any = created.state["status"]
    assert (status["status"], status["revision"]) == ("deployed", 2)


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    @override
    def Log(self, request: Any, context: Any) -> Empty:
        assert request.severity == engine_pb2.LogSeverity.WARNING
        self.messages.append((request.urn, request.message))
        return Empty()


@contextmanager
def _engine() -> Iterator[tuple[str, _Engine]]:
    engine = _Engine()
    with ThreadPoolExecutor() as executor:
        server = grpc.server(executor)
        engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}", engine
        finally:
            server.stop(None).wait()


def test_what_the_user_is_told(helm_plugin: HelmPlugin, tmp_path: Path, namespace: str) -> None:
    kept = CONFIGURATION.replace(
        "metadata:", 'metadata:\n  annotations: {"helm.sh/resource-policy": keep}'
    )
    chart = write_chart(tmp_path / "kept", templates={"configuration.yaml": kept})
    late = release(slow_chart(tmp_path), namespace, name="late", timeout=3, values={"replicas": 1})

    with _engine() as (address, engine), helm_plugin(arguments=[address]) as plugin:
        plugin.check(RELEASE, release(chart, namespace, allowNullValues=True))
        with pytest.raises(PartialError):
            plugin.create(RELEASE, late)
        plugin.delete(plugin.create(RELEASE, release(chart, namespace)))

    urn = urn_of(RELEASE, "example")
    assert engine.messages == [
        (urn, "`allowNullValues` has no effect: nulls among the values are always kept"),
        (
            urn,
            'Helm release "late" was created but has a failed status. Use the `helm` command to '
            "investigate the error, correct it, then retry. Reason: context deadline exceeded",
        ),
        (
            urn,
            'Helm uninstall returned information: "These resources were kept due to the resource '
            'policy:\\n[ConfigMap] example-configuration\\n"',
        ),
    ]
