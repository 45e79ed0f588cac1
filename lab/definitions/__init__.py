"""The Gloo Mesh resources that this project writes or reads, as custom resource definitions.

One file for each kind, after the public API reference of Gloo Mesh 2.5. They are stricter than
what Gloo Mesh installs: a one-of with two answers is refused, and so is a field that no schema
knows (`lab.closed_schemas`), where a stock API server drops such a field without a word.
"""

from importlib import resources
from typing import Any

import yaml


def definitions() -> list[dict[str, Any]]:
    """Read the CustomResourceDefinitions, in the order of their files' names."""
    files = sorted(
        (file for file in resources.files(__name__).iterdir() if file.name.endswith(".yaml")),
        key=lambda file: file.name,
    )
    return [yaml.safe_load(file.read_text()) for file in files]
