"""Releases that do not become what was asked for, and what comes after."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.plugins.provider.values import Properties
from tests.conformance.harness import PartialError, Plugin, RefusedError, Resource
from tests.conformance.kubernetes.helm.charts import (
    CONFIGURATION,
    HOOK,
    RELEASE,
    release,
    slow_chart,
    write_chart,
)
from tests.conformance.kubernetes.helm.conftest import HelmPlugin, Outsider
from tests.conformance.kubernetes.server import Server

pytestmark = pytest.mark.soak  # Helm's own time-outs are waited for

# Helm looks for the first time after 2 seconds.
IN_TIME = 8
LATE = "context deadline exceeded"
WORDS = (
    "Use Helm CLI to investigate: failed to become available within allocated timeout. "
    "Error: Helm Release {id}: "
)
NEVER_READY: Properties = {"replicas": 1}
AT_ONCE: Properties = {"replicas": 0}


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return slow_chart(tmp_path)


def _kept(failed: PartialError, inputs: Properties) -> Resource:
    """What the engine keeps of a partial failure."""
    return Resource(RELEASE, "example", failed.id, inputs, failed.state)


def test_late_installation_is_kept_and_mended(
    plugin: Plugin, chart: Path, namespace: str, outsider: Outsider
) -> None:
    inputs = release(chart, namespace, timeout=IN_TIME, values=NEVER_READY)

    with pytest.raises(PartialError) as failed:
        plugin.create(RELEASE, inputs)

    resource_id = f"{namespace}/example"
    assert failed.value.id == resource_id
    assert failed.value.reasons == [
        f'Helm release "{resource_id}" was created, but failed to initialize completely. '
        + WORDS.format(id=resource_id)
        + LATE
    ]
    state: Any = failed.value.state
    assert state["status"]["status"] == outsider.status(namespace) == "failed"
    assert state["resourceNames"]["ConfigMap/v1"] == ["example-configuration"]
    # The next `up`: the same release is upgraded.
    kept = _kept(failed.value, plugin.check(RELEASE, inputs).inputs)
    mended = plugin.update(kept, {**inputs, "values": AT_ONCE})
    status: Any = mended.state["status"]
    assert (status["status"], status["revision"]) == ("deployed", 2)
    plugin.delete(mended)
    assert outsider.releases(namespace) == []


def test_failed_installation_can_be_taken_away(
    plugin: Plugin, chart: Path, namespace: str, outsider: Outsider, server: Server
) -> None:
    inputs = release(chart, namespace, timeout=1, values=NEVER_READY)
    with pytest.raises(PartialError) as failed:
        plugin.create(RELEASE, inputs)

    plugin.delete(_kept(failed.value, plugin.check(RELEASE, inputs).inputs))

    assert outsider.releases(namespace) == []
    assert server.find("apps/v1", "Deployment", namespace, "example") is None


def test_nothing_is_awaited_where_the_program_says_so(
    plugin: Plugin, chart: Path, namespace: str
) -> None:
    inputs = release(chart, namespace, skipAwait=True, values=NEVER_READY)

    created = plugin.create(RELEASE, inputs)

    status: Any = created.state["status"]
    assert status["status"] == "deployed"
    assert created.inputs["timeout"] == 0
    plugin.delete(created)


def test_late_atomic_installation_leaves_nothing(
    plugin: Plugin, chart: Path, namespace: str, outsider: Outsider, server: Server
) -> None:
    inputs = release(chart, namespace, atomic=True, timeout=IN_TIME, values=NEVER_READY)

    with pytest.raises(RefusedError) as refused:
        plugin.create(RELEASE, inputs)

    assert str(refused.value) == (
        f"release example failed, and has been uninstalled due to atomic being set: {LATE}"
    )
    assert outsider.releases(namespace) == []
    assert server.find("v1", "ConfigMap", namespace, "example-configuration") is None
    # The neighbour: the same, but in time.
    created = plugin.create(RELEASE, {**inputs, "values": AT_ONCE})
    assert outsider.status(namespace) == "deployed"
    plugin.delete(created)


def test_late_upgrade_is_kept_and_mended(
    plugin: Plugin, chart: Path, namespace: str, outsider: Outsider
) -> None:
    inputs = release(chart, namespace, timeout=IN_TIME, values=AT_ONCE)
    created = plugin.create(RELEASE, inputs)

    with pytest.raises(PartialError) as failed:
        plugin.update(created, {**inputs, "values": NEVER_READY})

    resource_id = f"{namespace}/example"
    assert failed.value.id == resource_id
    assert failed.value.reasons == [
        f'Helm release "{resource_id}" failed to initialize completely. '
        + WORDS.format(id=resource_id)
        + LATE
    ]
    state: Any = failed.value.state
    assert (state["status"]["status"], state["status"]["revision"]) == ("failed", 2)
    assert state["values"] == NEVER_READY
    kept = _kept(failed.value, plugin.check(RELEASE, inputs).inputs)
    assert plugin.diff(kept, inputs).detailed == {"values.replicas": "UPDATE"}
    plugin.update(kept, inputs)
    assert [each["status"] for each in outsider.history(namespace)] == [
        "superseded",
        "failed",
        "deployed",
    ]


def test_late_atomic_upgrade_is_rolled_back(
    plugin: Plugin, chart: Path, namespace: str, outsider: Outsider
) -> None:
    inputs = release(chart, namespace, atomic=True, timeout=IN_TIME, values=AT_ONCE)
    created = plugin.create(RELEASE, inputs)

    with pytest.raises(PartialError) as failed:
        plugin.update(created, {**inputs, "values": NEVER_READY})

    assert failed.value.reasons[0].endswith(
        f"release example failed, and has been rolled back due to atomic being set: {LATE}"
    )
    # The state has the revision that failed, not the one that the rollback made.
    state: Any = failed.value.state
    assert (state["status"]["status"], state["status"]["revision"]) == ("failed", 2)
    assert outsider.status(namespace) == "deployed"
    assert outsider.values(namespace) == AT_ONCE
    # A refresh finds what is really there.
    reading = plugin.read(_kept(failed.value, plugin.check(RELEASE, inputs).inputs))
    assert reading is not None
    live: Any = reading.state["status"]
    assert (live["status"], live["revision"]) == ("deployed", 3)


def test_an_upgrade_with_one_revision_kept(
    plugin: Plugin, chart: Path, namespace: str, outsider: Outsider
) -> None:
    inputs = release(chart, namespace, maxHistory=1, timeout=IN_TIME, values=AT_ONCE)
    created = plugin.create(RELEASE, inputs)

    with pytest.raises(PartialError) as failed:
        plugin.update(created, {**inputs, "values": NEVER_READY})

    state: Any = failed.value.state
    assert state["status"]["status"] == "failed"
    assert outsider.status(namespace) == "failed"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ('{{ required "a colour is needed" .Values.colour }}', "a colour is needed"),
        ("kind: [", "unable to build kubernetes objects|YAML parse error|error converting YAML"),
        ("apiVersion: nowhere.example/v1\nkind: Nothing\nmetadata: {name: x}", "no matches for"),
    ],
)
def test_what_cannot_be_rendered_leaves_nothing(
    plugin: Plugin, tmp_path: Path, namespace: str, outsider: Outsider, template: str, reason: str
) -> None:
    broken = write_chart(tmp_path, templates={"broken.yaml": template})

    with pytest.raises(RefusedError, match=reason):
        plugin.create(RELEASE, release(broken, namespace))

    assert outsider.releases(namespace) == []


def test_an_upgrade_that_cannot_be_rendered_changes_nothing(
    plugin: Plugin, tmp_path: Path, namespace: str, outsider: Outsider
) -> None:
    inputs = release(write_chart(tmp_path), namespace)
    created = plugin.create(RELEASE, inputs)
    write_chart(tmp_path, version="2.0.0", templates={"broken.yaml": '{{ fail "not today" }}'})

    with pytest.raises(RefusedError, match="not today"):
        plugin.update(created, inputs)

    assert [each["status"] for each in outsider.history(namespace)] == ["deployed"]


def test_an_object_that_is_not_the_release_s_own(
    plugin: Plugin, tmp_path: Path, namespace: str, server: Server, outsider: Outsider
) -> None:
    server.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "example-configuration", "namespace": namespace},
        }
    )
    inputs = release(write_chart(tmp_path), namespace, values={"message": "ours"})

    with pytest.raises(RefusedError, match="Unable to continue with install"):
        plugin.create(RELEASE, inputs)
    assert outsider.releases(namespace) == []

    plugin.create(RELEASE, {**inputs, "takeOwnership": True})
    found = server.find("v1", "ConfigMap", namespace, "example-configuration")
    assert found["data"]["message"] == "ours"


def test_upgrade_of_what_is_gone(
    plugin: Plugin, tmp_path: Path, namespace: str, outsider: Outsider
) -> None:
    inputs = release(write_chart(tmp_path), namespace)
    created = plugin.create(RELEASE, inputs)
    outsider.run("uninstall", "example", "--namespace", namespace)

    with pytest.raises(RefusedError, match='"example" has no deployed releases'):
        plugin.update(created, inputs)


def test_hooks_are_run_unless_switched_off(
    plugin: Plugin, tmp_path: Path, namespace: str, server: Server
) -> None:
    def ran(revision: int) -> bool:
        name = f"example-hook-{revision}"
        return server.find("v1", "ConfigMap", namespace, name) is not None

    chart = write_chart(tmp_path, templates={"hook.yaml": HOOK, "map.yaml": CONFIGURATION})
    inputs = release(chart, namespace, disableWebhooks=True)

    created = plugin.create(RELEASE, inputs)
    assert not ran(1)
    # The switch is looked at by an installation only, as with the official plugin ...
    updated = plugin.update(created, {**inputs, "values": {"message": "2"}})
    assert ran(2)
    # ... and this one, whatever its name says, is that of an upgrade.
    plugin.update(updated, {**inputs, "disableCRDHooks": True})
    assert not ran(3)


@pytest.mark.parametrize("atomic", [False, True])
def test_cancelled_installation(
    helm_plugin: HelmPlugin,
    chart: Path,
    namespace: str,
    outsider: Outsider,
    atomic: bool,
) -> None:
    inputs = release(chart, namespace, atomic=atomic, values=NEVER_READY)

    with helm_plugin() as plugin, ThreadPoolExecutor() as executor:
        creating = executor.submit(plugin.create, RELEASE, inputs)
        _await(lambda: outsider.status(namespace) == "pending-install")
        begin = time.monotonic()
        plugin.cancel()
        with pytest.raises((PartialError, RefusedError)) as failed:
            creating.result()
        assert time.monotonic() - begin < 20
        assert _helms_of(namespace) == []
        # Nothing more is begun.
        assert "context canceled" in plugin.check(RELEASE, inputs).failures[0][1]

    assert "context canceled" in str(failed.value)
    if atomic:
        assert isinstance(failed.value, RefusedError)
        assert outsider.releases(namespace) == []
    else:
        assert isinstance(failed.value, PartialError)
        state: Any = failed.value.state
        assert state["status"]["status"] == outsider.status(namespace) == "failed"


def test_a_plugin_that_is_ended_ends_its_helm(
    helm_plugin: HelmPlugin, chart: Path, namespace: str, outsider: Outsider
) -> None:
    inputs = release(chart, namespace, values=NEVER_READY)
    failures: list[Exception] = []

    def create(plugin: Plugin) -> None:
        try:
            plugin.create(RELEASE, inputs)
        except (PartialError, RefusedError) as error:
            failures.append(error)

    with helm_plugin() as plugin:
        creating = threading.Thread(target=create, args=(plugin,))
        creating.start()
        _await(lambda: outsider.status(namespace) == "pending-install")
    creating.join()

    assert failures
    assert _helms_of(namespace) == []
    assert outsider.status(namespace) == "failed"


def _await(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def _helms_of(namespace: str) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "name"])
        if process.info["name"] == "helm" and namespace in (process.info["cmdline"] or [])
    ]
