"""Values: merged from files, typed as helm types them, secret where the program says so."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.plugins.provider.values import (
    Asset,
    Properties,
    Secret,
    Value,
    contains_secret,
    reveal,
    reveal_properties,
)
from tests.conformance.harness import PartialError, Plugin, RefusedError
from tests.conformance.kubernetes.helm.charts import RELEASE, release, slow_chart, write_chart
from tests.conformance.kubernetes.helm.conftest import HelmPlugin, Outsider

CANARY = "a-canary-that-must-not-show"


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return write_chart(tmp_path)


def test_files_are_merged_and_values_win(
    plugin: Plugin, chart: Path, namespace: str, tmp_path: Path, configuration: Callable[[], Any]
) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("message: from a file\nnested: {list: [1, 2], from: file}\n")
    files: Value = [
        Asset(path=str(file)),
        Asset(text="message: from the second\nnested: {list: [3]}\non: off\n"),
        Asset(uri=file.as_uri().replace("values.yaml", "more.yaml")),
    ]
    (tmp_path / "more.yaml").write_text("# nothing\n")
    inputs = release(
        chart, namespace, valueYamlFiles=files, values={"nested": {"from": "the program"}}
    )

    created = plugin.create(RELEASE, inputs)

    expected: dict[str, Any] = {
        "message": "from the second",
        "nested": {"list": [3], "from": "the program"},
        "true": False,  # in Helm's YAML `on` and `off` are truth values, and a key is text
    }
    assert created.inputs["values"] == created.state["values"] == expected
    assert "valueYamlFiles" not in created.inputs
    found = configuration()["everything"]
    assert found == {**expected, "nested": {**expected["nested"], "kept": 1}, "replicas": 0}
    # A file that changes is a change of values.
    file.write_text("message: from a file\nnested: {list: [1, 2], from: file}\nnews: 1\n")
    assert plugin.diff(created, inputs).detailed == {"values.news": "ADD"}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([Asset(path="not-there.yaml")], "valueYamlFiles[0]: not-there.yaml: No such file"),
        ([Asset(text="a: 1"), Asset(text="[1]")], "valueYamlFiles[1]: no mapping at its top"),
        ([Asset(text=f"{CANARY}: [")], "valueYamlFiles[0]: no YAML in line 1"),
        ([Asset(uri="ftp://example.invalid/x")], "valueYamlFiles[0]: its address is not one of"),
        (["values.yaml"], "valueYamlFiles[0]: expected an asset"),
        (Asset(text="a: 1"), "valueYamlFiles: expected a list"),
    ],
)
def test_files_that_are_none(
    plugin: Plugin, chart: Path, namespace: str, files: Value, reason: str
) -> None:
    failures = plugin.check(RELEASE, release(chart, namespace, valueYamlFiles=files)).failures

    assert [field for field, _ in failures] == ["valueYamlFiles"]
    assert reason in failures[0][1]
    assert CANARY not in failures[0][1]


def test_assets_elsewhere_are_refused(plugin: Plugin, namespace: str) -> None:
    inputs: Properties = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "example", "namespace": namespace},
        "data": {"key": Asset(text="content")},
    }

    with pytest.raises(RefusedError, match="an asset was given where a plain value is expected"):
        plugin.check("kubernetes:core/v1:ConfigMap", inputs)


def test_nulls_take_a_default_away(
    plugin: Plugin, chart: Path, namespace: str, configuration: Callable[[], Any]
) -> None:
    inputs = release(chart, namespace, values={"nested": None, "message": "m"})

    created = plugin.create(RELEASE, inputs)

    assert "nested" not in configuration()["everything"]
    assert created.state["values"] == {"nested": None, "message": "m"}
    assert not plugin.diff(created, inputs).changes


def test_numbers_and_truth(
    plugin: Plugin, chart: Path, namespace: str, configuration: Callable[[], Any]
) -> None:
    values: Properties = {"one": 1, "half": 0.5, "yes": True, "text": "1", "big": 10**12}
    inputs = release(chart, namespace, values=values)

    created = plugin.create(RELEASE, inputs)

    everything = configuration()["everything"]
    assert {key: everything[key] for key in values} == values
    assert created.state["values"] == values
    assert plugin.diff(created, {**inputs, "values": {**values, "one": True}}).changes
    assert plugin.diff(created, {**inputs, "values": {**values, "text": 1}}).changes


@pytest.mark.parametrize(
    ("reuse", "expected"),
    [
        ({"reuseValues": True}, {"message": "second", "more": 1}),
        ({"reuseValues": True, "resetValues": True}, {"message": "second"}),
        ({}, {"message": "second"}),
    ],
)
def test_values_of_the_last_revision(
    plugin: Plugin,
    chart: Path,
    namespace: str,
    outsider: Outsider,
    reuse: Properties,
    expected: Properties,
) -> None:
    inputs = release(chart, namespace, values={"message": "first", "more": 1})
    created = plugin.create(RELEASE, inputs)
    changed: Properties = {**inputs, "values": {"message": "second"}, **reuse}

    updated = plugin.update(created, changed)

    assert outsider.values(namespace) == expected
    assert updated.state["values"] == expected
    assert not plugin.diff(updated, changed).changes


def test_secrets_stay_secret(plugin: Plugin, chart: Path, namespace: str) -> None:
    values: Properties = {
        "message": Secret(CANARY),
        "nested": {"token": Secret(CANARY), "plain": "shown"},
        "list": ["shown", {"deep": Secret(CANARY)}],
    }
    inputs = release(chart, namespace, values=values)

    created = plugin.create(RELEASE, inputs)
    reading = plugin.read(created)

    expected = {
        "message": Secret(CANARY),
        "nested": {"token": Secret(CANARY), "plain": "shown"},
        # Of a list, which helm may have ordered anew, nothing is shown.
        "list": Secret(["shown", {"deep": CANARY}]),
    }
    assert created.inputs["values"] == created.state["values"] == expected
    assert reading is not None
    assert reading.inputs["values"] == reading.state["values"] == expected
    assert isinstance(created.state["__inputs"], Secret)
    assert reveal_properties(created.inputs) == reveal(created.state["__inputs"])
    assert not plugin.diff(created, inputs).changes
    changed = plugin.diff(created, {**inputs, "values": {**values, "message": Secret("other")}})
    assert changed.detailed == {"values.message": "UPDATE"}


@pytest.mark.parametrize("whole", [False, True])
def test_reused_secrets_stay_secret(
    plugin: Plugin, chart: Path, namespace: str, whole: bool
) -> None:
    values: Properties = {"nested": {"token": CANARY if whole else Secret(CANARY)}, "plain": "a"}
    inputs = release(chart, namespace, values=Secret(values) if whole else values)
    created = plugin.create(RELEASE, inputs)
    changed: Properties = {**inputs, "reuseValues": True, "values": {"plain": "b"}}

    updated = plugin.update(created, changed)
    reading = plugin.read(updated)

    expected = {"nested": {"token": Secret(CANARY)}, "plain": "b"}
    assert updated.state["values"] in (expected, {**expected, "nested": Secret({"token": CANARY})})
    assert reading is not None
    assert reading.state["values"] == updated.state["values"]
    # What the program now says in the open is no secret any more.
    shown = plugin.update(updated, {**changed, "values": {"nested": {"token": CANARY}}})
    values_shown: Any = shown.state["values"]
    assert values_shown["nested"] == {"token": CANARY}


def test_all_values_secret(plugin: Plugin, chart: Path, namespace: str) -> None:
    values: Properties = {"message": CANARY, "nested": {"list": []}}

    created = plugin.create(RELEASE, release(chart, namespace, values=Secret(values)))

    assert created.inputs["values"] == created.state["values"] == Secret(values)
    assert not plugin.diff(created, release(chart, namespace, values=values)).changes


def test_values_of_a_secret_file(plugin: Plugin, chart: Path, namespace: str) -> None:
    # Our engine's values cannot say that an asset is secret, but a secret list can have one.
    files: Value = Secret([Asset(text=f"message: {CANARY}")])

    checked = plugin.check(RELEASE, release(chart, namespace, valueYamlFiles=files))

    assert checked.inputs["values"] == Secret({"message": CANARY})


@contextmanager
def _watching(folder: Path) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Collect the command line of every process, and what files below a folder have meanwhile."""
    commands: set[bytes] = set()
    contents: set[bytes] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            for found, paths in (
                (commands, Path("/proc").glob("[0-9]*/cmdline")),
                # Unlike rglob it passes over a folder that is gone when it is looked into.
                (
                    contents,
                    (Path(place, name) for place, _, names in os.walk(folder) for name in names),
                ),
            ):
                for path in paths:
                    try:
                        found.add(path.read_bytes())
                    except OSError:
                        continue  # a folder, or gone by now
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    result: tuple[list[bytes], list[bytes]] = ([], [])
    try:
        yield result
    finally:
        ended.set()
        watcher.join()
        result[0].extend(commands)
        result[1].extend(contents)


def test_secrets_are_in_no_command_line_and_no_file(
    helm_plugin: HelmPlugin, tmp_path: Path, namespace: str
) -> None:
    inputs = release(
        slow_chart(tmp_path),
        namespace,
        timeout=4,
        values={"message": Secret(CANARY), "replicas": 1},
    )
    private = tmp_path / "private"
    private.mkdir()

    with (
        helm_plugin({"XDG_RUNTIME_DIR": str(private), "TMPDIR": str(private)}) as plugin,
        _watching(private) as (commands, contents),
    ):
        with pytest.raises(PartialError) as failed:
            plugin.create(RELEASE, inputs)
        kubeconfigs = [*private.rglob("kubeconfig")]
        assert [path.stat().st_mode & 0o777 for path in kubeconfigs] == [0o600]
        assert all(path.stat().st_mode & 0o077 == 0 for path in private.iterdir())

    installs = [line for line in commands if b"\0install\0" in line]
    assert any(namespace.encode() in line for line in installs)
    assert not any(CANARY.encode() in line for line in commands)
    assert any(b"current-context" in content for content in contents)
    assert not any(CANARY.encode() in content for content in contents)
    assert CANARY not in str(failed.value)
    # With the plugin go all files that it made.
    assert [*private.iterdir()] == []


@pytest.mark.parametrize("secret", [True, False])
def test_errors_do_not_show_secrets(
    plugin: Plugin, tmp_path: Path, namespace: str, secret: bool
) -> None:
    chart = write_chart(tmp_path, templates={"x.yaml": "{{ fail .Values.message }}"})
    value: Value = Secret(CANARY) if secret else CANARY

    with pytest.raises(RefusedError) as refused:
        plugin.create(RELEASE, release(chart, namespace, values={"message": value}))

    # The neighbour: what is no secret is shown, as it says what went wrong.
    assert (CANARY in str(refused.value)) is not secret


@pytest.mark.parametrize(
    "field", ["chart", "description", "keyring", "name", "namespace", "postrender", "version"]
)
def test_secrets_that_would_be_seen_are_refused(
    plugin: Plugin, chart: Path, namespace: str, field: str
) -> None:
    inputs: Properties = {**release(chart, namespace), field: Secret(CANARY)}

    failures = plugin.check(RELEASE, inputs).failures

    assert [path for path, _ in failures] == [field]
    assert "a secret would be seen in the list of processes" in failures[0][1]
    assert CANARY not in failures[0][1]


def test_checked_inputs_have_only_the_secrets_given(
    plugin: Plugin, chart: Path, namespace: str
) -> None:
    checked = plugin.check(RELEASE, release(chart, namespace, values={"message": Secret("x")}))

    others = {key: value for key, value in checked.inputs.items() if key != "values"}
    assert not contains_secret(others)
    assert json.dumps(others)  # nor anything else that is not plain
