"""Renders the reference of the components from the same source as the package's schema.

`python -m mesh_trust.package_reference FILE` writes it.
"""

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, is_typeddict

import mesh_trust

from .package import schema

_HEAD = """\
# The components

What each component takes and gives, for programs that use them; what they are for together is in
[the README](../README.md#what-it-makes). This page is made from their docstrings (`make
reference`), as [the package's schema](../package/schema.json) is. Names are Python's:
`ca_path` is `caPath` [in other languages](other-languages.md).

- `Input[…]` takes an output of another resource as well. What is not, is plain: the component
  looks at it before anything is registered.
- Arguments come as a dictionary, a `TypedDict` called after its component: `RootPkiArgs`.
- What is marked secret is encrypted in the stack's state, and not shown.
- A value that cannot be used raises `InvalidInputError`, which names the field, before anything is
  registered. One that only an output tells is checked in the update.
"""

_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}

_DEFAULT = r"(?P<default>`[^`]+`|\d+|true|false|none)"

_AT_THE_END = re.compile(rf"(?:;|(?<=\.)) {_DEFAULT} when absent\.$", re.IGNORECASE)

_WITHIN = re.compile(
    rf"(?<!\w){_DEFAULT} (?:when absent\b(?!, or else)|\(when absent\))", re.IGNORECASE
)

_SECRET = re.compile(r"; (?:secret|treated as secret|goes into a Secret)(?=\.)")

_CODE = re.compile(r"(`[^`]*`)")


@dataclass(frozen=True)
class Property:
    """An argument, an output, or a field of an argument."""

    name: str
    """In Python."""
    type: str
    """In Markdown, as Python's annotations have it."""
    required: bool
    default: str
    """What is taken when it is absent, where that is one value; otherwise empty."""
    secret: bool
    text: str
    """What it is for."""


def page(described: Mapping[str, Any]) -> str:
    """The reference, in Markdown, of what is in the package's schema."""
    return "\n".join(_lines(described)) + "\n"


def properties(
    content: Mapping[str, Mapping[str, Any]], required: list[str], *, outputs: bool = False
) -> list[Property]:
    """What the schema says of `content`; what is required comes first."""
    read = [
        _property(name, each, required=name in required, output=outputs)
        for name, each in content.items()
    ]
    return sorted(read, key=lambda each: not outputs and not each.required)


def _property(name: str, content: Mapping[str, Any], *, required: bool, output: bool) -> Property:
    said = content["description"]
    secret = _SECRET.search(said) is not None
    text = said if "goes into a Secret" in said else _SECRET.sub("", said)
    default = ""
    if not required and not output:
        found = _AT_THE_END.search(text) or _WITHIN.search(text)
        default = _default(found["default"]) if found else ""
        text = _AT_THE_END.sub("", text)
    kind = _type(content)
    if not content.get("plain") and not output and "$ref" not in content:
        kind = f"Input[{kind}]"
    return Property(_python_name(name), kind, required, default, secret, _sentence(text))


def _default(said: str) -> str:
    return said if said.startswith("`") else said.lower()


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _type(content: Mapping[str, Any]) -> str:
    reference = content.get("$ref", "")
    if reference.startswith("#/types/"):
        return _link(reference.rpartition(":")[2])
    if reference.endswith(":providers:kubernetes"):
        return "kubernetes.Provider"
    if reference == "pulumi.json#/Any":
        return "Any"
    kind = content["type"]
    if kind == "array":
        return f"Sequence[{_type(content['items'])}]"
    if kind == "object":
        return f"Mapping[str, {_type(content['additionalProperties'])}]"
    return _PLAIN[kind]


def _python_name(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _lines(read: Mapping[str, Any]) -> Iterator[str]:
    components = _by_name(read["resources"])
    parts = _by_name(read["types"])
    known = {**components, **parts}
    yield _HEAD
    yield from ("| component | what it is |", "| --- | --- |")
    for name, each in components.items():
        yield f"| {_link(name)} | {_linked(_paragraphs(each)[0], known, name)} |"
    yield from ("", f"Parts of their arguments: {', '.join(map(_link, parts))}.")
    yield "For Python alone: [functions and classes](#functions-and-classes)."
    for name, each in components.items():
        yield from _heading(name, each, known)
        yield from _table(
            "argument",
            properties(each["inputProperties"], each.get("requiredInputs", [])),
            known,
            name,
        )
        yield ""
        outputs = properties(each["properties"], each.get("required", []), outputs=True)
        yield from _table("output", outputs, known, name)
    yield from ("", "# Parts of arguments")
    for name, each in parts.items():
        yield from _heading(name, each, known)
        fields = properties(each["properties"], each.get("required", []))
        yield from _table("field", fields, known, name)
    yield from ("", "# Functions and classes", "", "| name | what it is for |", "| --- | --- |")
    yield from _other_names(known)


def _by_name(described: Mapping[str, Any]) -> dict[str, Any]:
    return {name.rpartition(":")[2]: each for name, each in sorted(described.items())}


def _heading(name: str, content: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## {name}")
    for paragraph in _paragraphs(content):
        yield from ("", _linked(paragraph, known, name))
    yield ""


def _paragraphs(content: Mapping[str, Any]) -> list[str]:
    # The schema has a paragraph's end as an empty line that became a space.
    paragraphs: list[str] = content["description"].split("  ")
    return paragraphs


def _table(
    kind: str, shown: list[Property], known: Mapping[str, Any], within: str
) -> Iterator[str]:
    if kind == "output":
        yield from (f"| {kind} | type | what it is |", "| --- | --- | --- |")
        for each in shown:
            yield f"| `{each.name}` | {_typed(each)} | {_linked(each.text, known, within)} |"
        return
    yield from (f"| {kind} | type | default | what it is for |", "| --- | --- | --- | --- |")
    for each in shown:
        default = "**required**" if each.required else each.default
        text = _linked(each.text, known, within)
        yield f"| `{each.name}` | {_typed(each)} | {default} | {text} |"


def _typed(each: Property) -> str:
    return f"{each.type}, secret" if each.secret else each.type


def _linked(text: str, known: Mapping[str, Any], within: str) -> str:
    """`text` with links where it names what the page describes, fit for a table's cell."""
    names = [name for name in known if name != within]
    expression = re.compile(rf"\b({'|'.join(sorted(names, key=len, reverse=True))})(Args)?\b")
    pieces = [
        piece
        if piece.startswith("`")
        else expression.sub(lambda found: f"[{found[0]}](#{found[1].lower()})", piece)
        for piece in _CODE.split(text)
    ]
    return "".join(pieces).replace("|", "\\|")


def _other_names(known: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(mesh_trust.__all__, key=str.lower):
        each = getattr(mesh_trust, name)
        is_args = name.removesuffix("Args") in known and name not in known
        if name in known or is_args or is_typeddict(each):
            continue
        said = inspect.cleandoc(each.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        takes = ", ".join(inspect.signature(each).parameters)
        yield f"| `{name}({takes})` | {_linked(said, known, name)} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(json.loads(schema())))
