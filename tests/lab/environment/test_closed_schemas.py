"""The policy made from a schema: one rule for each object in it."""

import copy
from typing import Any

from lab.closed_schemas import closed
from lab.definitions import definitions


def _definition() -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    "parts": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                    },
                },
            }
        },
    }
    return {
        "metadata": {"name": "things.example.org"},
        "spec": {
            "group": "example.org",
            "names": {"plural": "things"},
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}],
        },
    }


def test_each_object_has_a_rule_and_maps_have_none() -> None:
    _, policy, _ = closed(_definition())
    rules = {each["message"]: each["expression"] for each in policy["spec"]["validations"]}
    assert rules == {
        "unknown field in the object, which knows apiVersion, kind, metadata, spec": (
            'dyn(object).all(field, field in ["apiVersion", "kind", "metadata", "spec"])'
        ),
        "unknown field in spec, which knows labels, parts": (
            '(!has(object.spec) || dyn(object.spec).all(field, field in ["labels", "parts"]))'
        ),
        "unknown field in spec.parts[], which knows name": (
            "(!has(object.spec) || (!has(object.spec.parts) || object.spec.parts.all(item0, "
            'dyn(item0).all(field, field in ["name"]))))'
        ),
    }


def test_the_policy_covers_the_resource_and_its_status_and_denies() -> None:
    _, policy, binding = closed(_definition())
    [rule] = policy["spec"]["matchConstraints"]["resourceRules"]
    assert rule["resources"] == ["things", "things/status"]
    assert (rule["apiGroups"], rule["apiVersions"]) == (["example.org"], ["v1"])
    assert binding["spec"] == {
        "policyName": "things.example.org",
        "validationActions": ["Deny"],
    }


def test_the_schema_keeps_unknown_fields_and_the_argument_stays_as_it_is() -> None:
    definition = _definition()
    before = copy.deepcopy(definition)
    kept, _, _ = closed(definition)
    assert definition == before
    schema = kept["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec = schema["properties"]["spec"]
    keeps = "x-kubernetes-preserve-unknown-fields"
    assert schema[keeps]
    assert spec[keeps]
    assert spec["properties"]["parts"]["items"][keeps]
    assert keeps not in spec["properties"]["labels"]


def test_every_definition_is_read() -> None:
    assert [each["spec"]["names"]["kind"] for each in definitions()] == [
        "CertificateRequest",
        "IssuedCertificate",
        "KubernetesCluster",
        "Mesh",
        "PodBounceDirective",
        "RootTrustPolicy",
        "Workspace",
    ]
