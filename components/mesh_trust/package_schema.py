"""The schema of the components as a package, with every description whole."""

import ast
import inspect
import json
from collections.abc import Iterator
from typing import get_type_hints

import pulumi
from pulumi.provider.experimental.analyzer import Analyzer, PropertyDefinition
from pulumi.provider.experimental.schema import generate_schema

Components = list[type[pulumi.ComponentResource]]


def package_schema(components: Components, name: str, version: str) -> str:
    """What Pulumi makes of annotations and docstrings, as JSON.

    Pulumi leaves out the description of what a type inherits, and keeps the indentation of the
    source in the others.
    """
    analyzer = Analyzer(name)
    analyzed = analyzer.analyze(components)
    classes = {component.__name__: component for component in components}
    for component in analyzed["component_definitions"].values():
        made_of = classes[component.name]
        args = get_type_hints(made_of.__init__)["args"]
        component.description = _clean(component.description)
        _describe(analyzer, args, component.inputs, component.inputs_mapping)
        _describe(analyzer, made_of, component.outputs, component.outputs_mapping)
    for part in analyzed["type_definitions"].values():
        part.description = _clean(part.description)
        _describe(analyzer, part.python_type, part.properties, part.properties_mapping)
    schema = generate_schema(
        name,
        version,
        None,
        analyzed["component_definitions"],
        analyzed["type_definitions"],
        sorted(analyzed["dependencies"], key=lambda each: each.name),
    )
    content = schema.to_json()
    # Else Pulumi's generator names types in Go that it does not make: what is only in lists and
    # maps that take no outputs.
    content["language"]["go"]["generateExtraInputTypes"] = True
    return json.dumps(content)


def _describe(
    analyzer: Analyzer,
    declared_in: type,
    properties: dict[str, PropertyDefinition],
    python_names: dict[str, str],
) -> None:
    for name, definition in properties.items():
        said = definition.description or _inherited(analyzer, declared_in, python_names[name])
        definition.description = _clean(said)


def _inherited(analyzer: Analyzer, declared_in: type, field: str) -> str | None:
    for base in _bases(declared_in):
        said = analyzer.get_docstring(base, field) or _inherited(analyzer, base, field)
        if said is not None:
            return said
    return None


def _bases(declared_in: type) -> Iterator[type]:
    # From the source: a TypedDict does not keep its bases in every version of Python.
    [statement] = ast.parse(inspect.getsource(declared_in)).body
    assert isinstance(statement, ast.ClassDef)
    module = inspect.getmodule(declared_in)
    for base in statement.bases:
        found = getattr(module, ast.unparse(base), None)
        if inspect.isclass(found) and found.__module__.startswith(__package__):
            yield found


def _clean(text: str | None) -> str | None:
    return None if text is None else " ".join(inspect.cleandoc(text).split("\n"))
