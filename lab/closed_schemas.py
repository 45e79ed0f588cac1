"""Custom resources whose unknown fields are refused by the server, whatever the client asks.

An API server drops a field that no schema knows before anything else sees it; a client hears of
it only when it asks for strict validation. Here the schema keeps every field, and an admission
policy made from the same schema refuses an object that has one too many.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object or a part of one, in its JSON form."""

UNKNOWN_FIELD = "unknown field in"
"""What the server's message says where an object has a field that its schema does not know."""


def closed(definition: Object) -> list[Object]:
    """Return the definition with unknown fields kept, the policy that refuses them, its binding.

    The definition is a CustomResourceDefinition (apiextensions.k8s.io/v1) with one version.
    """
    kept = copy.deepcopy(definition)
    [version] = kept["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    rules = [
        {"expression": condition, "message": f"{UNKNOWN_FIELD} {where}, which knows {known}"}
        for where, known, condition in _conditions(_root(schema), "object", "", lambda rule: rule)
    ]
    _keep_unknown_fields(schema)
    name = definition["metadata"]["name"]
    group, plural = definition["spec"]["group"], definition["spec"]["names"]["plural"]
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [group],
                        "apiVersions": [version["name"]],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": [plural, f"{plural}/status"],
                    }
                ]
            },
            "validations": rules,
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    return [kept, policy, binding]


def _root(schema: Object) -> Object:
    # Every object has these three, and schemas leave them out.
    common: Object = {"apiVersion": {}, "kind": {}, "metadata": {}}
    return {**schema, "properties": {**common, **schema["properties"]}}


def _conditions(
    schema: Object, expression: str, where: str, guard: Callable[[str], str]
) -> Iterator[tuple[str, str, str]]:
    """Yield for each object in the schema its place, its fields, and the rule that closes it.

    `expression` is the object in the Common Expression Language (CEL); `guard` wraps a rule about
    it so that it holds where the object is absent.
    """
    properties = schema.get("properties")
    if properties is not None:
        names = list(properties)
        # dyn(): the policy's type checker would not let a typed object be walked over.
        rule = guard(f"dyn({expression}).all(field, field in {json.dumps(names)})")
        yield where or "the object", ", ".join(names), rule
        for name, child in properties.items():
            path = f"{expression}.{name}"

            def present(rule: str, path: str = path) -> str:
                return guard(f"(!has({path}) || {rule})")

            yield from _conditions(child, path, f"{where}.{name}".lstrip("."), present)
    if "items" in schema:
        item = f"item{where.count('[]')}"

        def each(rule: str) -> str:
            return guard(f"{expression}.all({item}, {rule})")

        yield from _conditions(schema["items"], item, f"{where}[]", each)


def _keep_unknown_fields(schema: Object) -> None:
    if "properties" in schema:
        schema["x-kubernetes-preserve-unknown-fields"] = True
        for child in schema["properties"].values():
            _keep_unknown_fields(child)
    if "items" in schema:
        _keep_unknown_fields(schema["items"])
