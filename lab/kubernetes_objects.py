"""Kubernetes objects, written by server-side apply with an administrator's certificate.

Plain HTTPS serves the handful of kinds that the lab writes: importing the Kubernetes client takes
longer than writing all of them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import requests

from lab.control_plane import ControlPlane
from lab.errors import LabError
from lab.sessions import session_with

FIELD_MANAGER = "mesh-trust-lab"

_TIMEOUT_SECONDS = 30.0

_PLURALS = {
    "Namespace": "namespaces",
    "ServiceAccount": "serviceaccounts",
    "ConfigMap": "configmaps",
    "Service": "services",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "StorageClass": "storageclasses",
    "Deployment": "deployments",
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
    "CustomResourceDefinition": "customresourcedefinitions",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
    "RootTrustPolicy": "roottrustpolicies",
    "KubernetesCluster": "kubernetesclusters",
    "Mesh": "meshes",
    "IssuedCertificate": "issuedcertificates",
    "CertificateRequest": "certificaterequests",
    "PodBounceDirective": "podbouncedirectives",
}

Object = dict[str, Any]
"""A Kubernetes object in its JSON form."""


@dataclass(frozen=True)
class Refusal:
    """An answer other than success: HTTP status and the server's message."""

    status: int
    message: str


class ClusterWriter:
    """Writes objects to one cluster. To be used as a context manager."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._session = session_with(plane.authority.certificate, plane.admin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.close()

    def apply(self, objects: Iterable[Object]) -> None:
        """Apply the objects in their order; fields that others own are taken over.

        Raises:
            LabError: the server refuses one of them, or does not answer.
        """
        for each in objects:
            refusal = self.attempt(each)
            if refusal is not None:
                raise LabError(
                    f"cluster {self._plane.cluster} refuses {each['kind']} "
                    f"{each['metadata']['name']} ({refusal.status}): {refusal.message}"
                )

    def attempt(self, content: Object, *, dry_run: bool = False) -> Refusal | None:
        """Apply one object, or only try it, and return why it was refused, or None.

        Raises:
            LabError: the server does not answer.
        """
        parameters = {"fieldManager": FIELD_MANAGER, "force": "true"}
        if dry_run:
            parameters["dryRun"] = "All"
        try:
            answer = self._session.patch(
                self._plane.url + object_path(content),
                params=parameters,
                # Which is YAML, too, and written a hundred times faster.
                data=json.dumps(content),
                headers={"Content-Type": "application/apply-patch+yaml"},
                timeout=_TIMEOUT_SECONDS,
            )
        except requests.exceptions.RequestException as error:
            raise LabError(f"cluster {self._plane.cluster} does not answer: {error}") from error
        if answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED):
            return None
        return Refusal(answer.status_code, answer.json().get("message", answer.reason))


def object_path(content: Object) -> str:
    """Return the path of an object's URL, for the kinds that the lab writes."""
    version, metadata = content["apiVersion"], content["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{root}{namespace}/{_PLURALS[content['kind']]}/{metadata['name']}"
