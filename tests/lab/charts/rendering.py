"""Rendering a chart with the real Helm, and saying what two renderings differ in."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).parents[3] / "lab" / "charts"

Objects = dict[str, Any]
"""Kubernetes objects in their JSON form, by `Kind/name`."""

ABSENT = "(absent)"
"""Stands for what the second of two renderings does not have."""


class ChartRefusedError(Exception):
    """Helm does not render the chart; the message is what it printed."""


@dataclass(frozen=True)
class Chart:
    """A chart, and the Helm that renders it."""

    helm: Path
    folder: Path

    def run(self, command: list[str], values: Mapping[str, Any]) -> str:
        """Run Helm with `values` in a file, as JSON, which every YAML reader reads alike.

        Raises:
            ChartRefusedError: Helm ended with an error.
        """
        done = subprocess.run(
            [self.helm, *command, "--values", "-"],
            input=json.dumps(values),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ChartRefusedError(done.stderr + done.stdout)
        return done.stdout

    def objects(
        self, values: Mapping[str, Any], *, release: str = "vault", namespace: str = "vault"
    ) -> Objects:
        """Render the chart. What is given back is shared: it is not to be changed.

        Raises:
            ChartRefusedError: the values are refused.
        """
        return _objects(self, json.dumps(values), release, namespace)


# Most tests start from one of two renderings.
@cache
def _objects(chart: Chart, values: str, release: str, namespace: str) -> Objects:
    text = chart.run(
        ["template", release, str(chart.folder), "--namespace", namespace], json.loads(values)
    )
    documents = [document for document in yaml.safe_load_all(text) if document]
    objects = {
        f"{document['kind']}/{document['metadata']['name']}": document for document in documents
    }
    assert len(objects) == len(documents), "an object is rendered twice"
    return objects


def changes(before: Any, after: Any, path: str = "") -> dict[str, Any]:
    """What is new in `after`, by path: `Kind/name.field.items[name].field`.

    A part that only one of the two has is one entry, with ABSENT where `after` lacks it. Items of a
    list are told apart by their name where all have one; other lists are compared whole.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        found: dict[str, Any] = {}
        for key in before.keys() | after.keys():
            found |= changes(
                before.get(key, ABSENT), after.get(key, ABSENT), f"{path}.{key}" if path else key
            )
        return found
    named_before, named_after = _by_name(before), _by_name(after)
    if named_before is not None and named_after is not None:
        found = {}
        for name in named_before.keys() | named_after.keys():
            found |= changes(
                named_before.get(name, ABSENT), named_after.get(name, ABSENT), f"{path}[{name}]"
            )
        return found
    return {} if before == after and type(before) is type(after) else {path: after}


def _by_name(items: Any) -> dict[str, Any] | None:
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and "name" in item for item in items
    ):
        return None
    named = {item["name"]: item for item in items}
    # Two mounts of one volume have one name: such a list has to be compared whole.
    return named if len(named) == len(items) else None


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Values from dotted keys: `{"a.b": 1}` is `{"a": {"b": 1}}`."""
    values: dict[str, Any] = {}
    for path, value in flat.items():
        *sections, key = path.split(".")
        section = values
        for name in sections:
            section = section.setdefault(name, {})
        section[key] = value
    return values
