"""What the Python packages of the bridged plugins expect of the plugins."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi import _types


@dataclass(frozen=True)
class Shape:
    """A resource type: its properties' names as the engine knows them, with their types in JSON."""

    inputs: Mapping[str, str]
    required: frozenset[str]
    outputs: Mapping[str, str]
    secrets: frozenset[str]


def shapes_of_package(package: ModuleType) -> dict[str, Shape]:
    """Every resource type of a package, by its token."""
    return {
        resource_type.pulumi_type: _shape_of_class(
            resource_type, getattr(package, f"{resource_type.__name__}Args")
        )
        for resource_type in _resource_types(package)
    }


def shapes_of_schema(schema: Mapping[str, Any]) -> dict[str, Shape]:
    """Every resource type of a plugin's schema, by its token."""
    return {
        token: Shape(
            inputs=_schema_types(resource["inputProperties"], schema),
            required=frozenset(resource.get("requiredInputs", ())),
            outputs=_schema_types(resource["properties"], schema),
            secrets=frozenset(
                name for name, field in resource["properties"].items() if field.get("secret")
            ),
        )
        for token, resource in schema["resources"].items()
    }


def _resource_types(package: ModuleType) -> Iterator[Any]:
    for member in vars(package).values():
        if (
            inspect.isclass(member)
            and issubclass(member, pulumi.CustomResource)
            and not issubclass(member, pulumi.ProviderResource)
        ):
            yield member


def _shape_of_class(resource_type: Any, arguments: Any) -> Shape:
    names = _types.input_type_py_to_pulumi_names(arguments)
    return Shape(
        inputs={
            name: _python_type(kind) for name, kind in _types.input_type_types(arguments).items()
        },
        required=frozenset(
            names[parameter.name]
            for parameter in inspect.signature(arguments).parameters.values()
            if parameter.default is parameter.empty
        ),
        outputs={
            name: _python_type(kind) for name, kind in _types.resource_types(resource_type).items()
        },
        secrets=_secret_outputs(resource_type),
    )


def _secret_outputs(resource_type: Any) -> frozenset[str]:
    """What the class asks the engine to keep secret, caught before it reaches one."""
    with patch.object(pulumi.CustomResource, "__init__", return_value=None) as registered:
        # A resource that exists under a URN needs no arguments.
        resource_type("any", pulumi.ResourceOptions(urn="any"))
    options: pulumi.ResourceOptions = registered.call_args.args[-1]
    return frozenset(options.additional_secret_outputs or ())


def _python_type(kind: Any) -> str:
    kind = _types.unwrap_type(kind)
    if _types.is_input_type(kind):
        return _object(
            {name: _python_type(field) for name, field in _types.input_type_types(kind).items()}
        )
    if _types.is_output_type(kind):
        fields = _types.output_type_types(kind)
        return _object({name: _python_type(field) for name, field in fields.items()})
    origin = getattr(kind, "__origin__", None)
    if origin is None:
        return {str: "string", int: "integer", bool: "boolean", float: "number"}[kind]
    element = _python_type(kind.__args__[-1])
    return f"map of {element}" if len(kind.__args__) == 2 else f"list of {element}"


def _schema_types(fields: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, str]:
    return {name: _schema_type(field, schema) for name, field in fields.items()}


def _schema_type(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in field:
        named = schema["types"][field["$ref"].removeprefix("#/types/").replace("%2F", "/")]
        return _object(_schema_types(named["properties"], schema))
    if field["type"] == "array":
        return f"list of {_schema_type(field['items'], schema)}"
    if field["type"] == "object":
        return f"map of {_schema_type(field['additionalProperties'], schema)}"
    kind: str = field["type"]
    return kind


def _object(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {kind}" for name, kind in sorted(fields.items())) + "}"
