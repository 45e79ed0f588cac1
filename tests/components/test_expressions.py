"""What Go makes of expressions for revisions: the API server, written in it, is asked."""

import time
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from mesh_trust.mesh_selectors import revision_expression
from tests.conformance.kubernetes.conftest import CLUSTER
from tests.expressions import IN_BOTH, IN_NEITHER, IN_PYTHON_ONLY

from .installed import untyped

_GROUP, _PLURAL = "expressions.example", "matches"
_AWAIT_SECONDS = 60
_STRING = {"type": "string", "maxLength": 100}


class Go:
    """Objects that are taken where their expression matches their revision."""

    def __init__(self, kubeconfig: Path) -> None:
        api = config.new_client_from_config(str(kubeconfig), CLUSTER)
        self._objects = untyped(client.CustomObjectsApi(api))
        untyped(client.ApiextensionsV1Api(api)).create_custom_resource_definition(_definition())
        deadline = time.monotonic() + _AWAIT_SECONDS
        while (self.answer("a", "a") or "").startswith("404"):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def answer(self, expression: str, revision: str) -> str | None:
        """Why the object is not taken; None where it is."""
        try:
            self._objects.create_cluster_custom_object(
                *(_GROUP, "v1", _PLURAL),
                {
                    "apiVersion": f"{_GROUP}/v1",
                    "kind": "Match",
                    "metadata": {"name": "attempt"},
                    "spec": {"expression": expression, "revision": revision},
                },
                dry_run="All",
            )
        except ApiException as error:
            return f"{error.status} {error.body}"
        return None


def _definition() -> dict[str, Any]:
    spec = {
        "type": "object",
        "x-kubernetes-validations": [
            {"rule": "self.revision.matches(self.expression)", "message": "no match"}
        ],
        "properties": {"expression": _STRING, "revision": _STRING},
    }
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{_PLURAL}.{_GROUP}"},
        "spec": {
            "group": _GROUP,
            "names": {"kind": "Match", "plural": _PLURAL},
            "scope": "Cluster",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


@pytest.fixture(scope="module")
def go(kubeconfig_path: Path) -> Go:
    return Go(kubeconfig_path)


@pytest.mark.parametrize("expression", IN_BOTH)
def test_what_passes_is_understood(go: Go, expression: str) -> None:
    answer = go.answer(expression, "~")
    assert answer is None or "no match" in answer


@pytest.mark.parametrize("expression", [*IN_NEITHER, *IN_PYTHON_ONLY])
def test_what_is_refused_is_not_understood(go: Go, expression: str) -> None:
    assert "error parsing regexp" in (go.answer(expression, "~") or "")


def test_several_revisions_are_matched_and_no_others(go: Go) -> None:
    expression = revision_expression(["default", "1-20"])

    assert go.answer(expression, "default") is None
    assert go.answer(expression, "1-20") is None
    for other in ("", "1-2", "1-200", "a1-20", "default-1"):
        assert "no match" in (go.answer(expression, other) or ""), other
