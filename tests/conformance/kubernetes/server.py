"""The API server as an ordinary client sees it, apart from all code of the plugin."""

import json
import time
from typing import Any

from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException

from lab.plugins.provider.values import Properties

_PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "ConfigMap": "configmaps",
    "CustomResourceDefinition": "customresourcedefinitions",
    "Deployment": "deployments",
    "Gadget": "gadgets",
    "Namespace": "namespaces",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Pod": "pods",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "RootTrustPolicy": "roottrustpolicies",
    "Secret": "secrets",
    "ServiceAccount": "serviceaccounts",
    "Widget": "widgets",
}
_AWAIT_SECONDS = 60.0  # schemas of new kinds are published with a delay


class Server:
    """Reads objects, and writes them as someone else than the plugin does."""

    def __init__(self, client: ApiClient) -> None:
        self._client: Any = client

    def find(self, api_version: str, kind: str, namespace: str, name: str) -> Any:
        """Return an object, or None if there is none of this name."""
        try:
            return self._request("GET", _path(api_version, kind, namespace, name))
        except ApiException as error:
            if error.status != 404:
                raise
            return None

    def objects(self, api_version: str, kind: str, namespace: str) -> list[Any]:
        """Return all objects of a kind in a namespace."""
        listed = self._request("GET", _path(api_version, kind, namespace, ""))
        # Lists leave out what is the same for each of their items.
        return [{"apiVersion": api_version, "kind": kind, **item} for item in listed["items"]]

    def create(self, resource: Properties, *, manager: str = "someone-else") -> Any:
        metadata: Any = resource["metadata"]
        path = _path(
            str(resource["apiVersion"]), str(resource["kind"]), metadata.get("namespace", ""), ""
        )
        return self._request("POST", f"{path}?fieldManager={manager}", resource)

    def change(
        self,
        resource: Properties,
        patch: Properties,
        *,
        manager: str = "someone-else",
        subresource: str = "",
    ) -> Any:
        """Merge a patch into an object."""
        path = f"{_path_of(resource)}{subresource}?fieldManager={manager}"
        return self._request("PATCH", path, patch, "application/merge-patch+json")

    def remove(self, resource: Properties) -> None:
        """Delete an object and wait until it is gone."""
        self._request("DELETE", _path_of(resource), {"propagationPolicy": "Background"})
        metadata: Any = resource["metadata"]
        deadline = time.monotonic() + _AWAIT_SECONDS
        while self.find(
            str(resource["apiVersion"]),
            str(resource["kind"]),
            metadata.get("namespace", ""),
            metadata["name"],
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def token(self, namespace: str, account: str) -> str:
        """Return a token of a service account."""
        path = f"{_path('v1', 'ServiceAccount', namespace, account)}/token"
        token: str = self._request("POST", path, {})["status"]["token"]
        return token

    def await_kind(self, api_version: str, kind: str) -> None:
        """Wait until a custom kind is served and its schema published."""
        deadline = time.monotonic() + _AWAIT_SECONDS
        while not self._is_published(api_version, kind):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def _is_published(self, api_version: str, kind: str) -> bool:
        try:
            self._request("GET", _path(api_version, kind, "", ""))
            document = self._request("GET", f"/openapi/v3/apis/{api_version}")
        except ApiException as error:
            if error.status != 404:
                raise
            return False
        return any(name.endswith(f".{kind}") for name in document["components"]["schemas"])

    def _request(
        self,
        method: str,
        path: str,
        body: Properties | None = None,
        content_type: str = "application/json",
    ) -> Any:
        request = self._client.param_serialize(
            method,
            path,
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        response = self._client.call_api(*request)
        content = response.read()
        if not 200 <= response.status <= 299:
            raise ApiException(status=response.status, reason=content.decode())
        return json.loads(content)


def _path(api_version: str, kind: str, namespace: str, name: str) -> str:
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{scope}/{_PLURALS[kind]}" + (f"/{name}" if name else "")


def _path_of(resource: Properties) -> str:
    metadata: Any = resource["metadata"]
    return _path(
        str(resource["apiVersion"]),
        str(resource["kind"]),
        metadata.get("namespace", ""),
        metadata["name"],
    )
