"""What the schema of the Vault chart knows, read from the file that Helm reads."""

import json
from collections.abc import Iterator
from typing import Any

from .rendering import CHARTS

SCHEMA: dict[str, Any] = json.loads((CHARTS / "vault" / "values.schema.json").read_text())


def sections(
    schema: dict[str, Any] = SCHEMA, path: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every map whose keys are known, by dotted path; the whole of the values is ''."""
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    if "properties" in schema:
        yield path, schema
        for key, below in schema["properties"].items():
            yield from sections(below, f"{path}.{key}" if path else key)


def keys() -> set[str]:
    """Every known key that is not itself a section, by dotted path."""
    found = dict(sections())
    every = {
        f"{path}.{key}" if path else key
        for path, section in found.items()
        for key in section["properties"]
    }
    return every - set(found)


def required() -> set[str]:
    """Every key that may not be taken away, by dotted path."""
    return {
        f"{path}.{key}" if path else key
        for path, section in sections()
        for key in section.get("required", ())
    }
