"""Renders the reference of the configuration from its declaration in Pulumi.yaml.

`python -m mesh_trust.settings.reference FILE` writes it.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .declaration import declared

_FIELD = re.compile(r"- (?P<name>\w+): (?P<text>.+)")

_LEADS_TO_FIELDS = re.compile(r"\s*(An object|A list of objects):$")

_HEAD = """\
# The configuration

Every key of a stack's configuration, `Pulumi.<stack>.yaml`, with the prefix `mesh-trust:`. They
are declared in `Pulumi.yaml`, and this page is made from there (`make reference`). Whatever is
wrong with the values is said in one go, a line each, before anything is written; a key or a field
that is not in here is refused as well.

"""


@dataclass(frozen=True)
class Key:
    """A key as it is declared."""

    name: str
    kind: str
    default: str
    """As it is shown; empty for none."""
    text: str
    """What it is for."""
    fields: Mapping[str, str]
    """Fields of an object, or of the objects in a list, each with what it is for."""


def described_keys() -> list[Key]:
    """The project's own keys, in the order of their declaration."""
    return [_key(name, entry) for name, entry in declared().items() if ":" not in name]


def _key(name: str, entry: Mapping[str, Any]) -> Key:
    text: list[str] = []
    fields: dict[str, str] = {}
    last = None
    for line in entry["description"].splitlines():
        field = _FIELD.fullmatch(line)
        if field is not None:
            last = field["name"]
            fields[last] = field["text"]
        elif last is not None:
            fields[last] += f" {line.strip()}"
        else:
            text.append(line)
    return Key(name, _kind(entry), _default(entry), " ".join(text), fields)


def _kind(entry: Mapping[str, Any]) -> str:
    if entry["type"] == "array":
        return f"list of {entry['items']['type']}s"
    return str(entry["type"])


def _default(entry: Mapping[str, Any]) -> str:
    default = entry.get("default")
    if default is None or default in ("", {}, []):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return f"[{', '.join(map(str, default))}]"
    return str(default)


def page() -> str:
    """The reference, in Markdown."""
    return _HEAD + "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| key | type | default | what it is for |"
    yield "| --- | --- | --- | --- |"
    described = described_keys()
    for key in described:
        name = f"[`{key.name}`](#{key.name.lower()})" if key.fields else f"`{key.name}`"
        default = f"`{key.default}`" if key.default else ""
        yield f"| {name} | {key.kind} | {default} | {_cell(_LEADS_TO_FIELDS.sub('', key.text))} |"
    for key in described:
        if key.fields:
            yield from ("", f"## {key.name}", "", key.text, "")
            yield from ("| field | what it is for |", "| --- | --- |")
            yield from (f"| `{name}` | {_cell(text)} |" for name, text in key.fields.items())
    yield ""


def _summary(key: Key) -> str:
    return _LEADS_TO_FIELDS.sub("", key.text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page())
