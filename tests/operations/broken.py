"""Things taken away or changed in the lab's clusters, and put back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from lab.lab import Lab
from tests.program.inventory import kubernetes_client

GLOO, VERSION, NAMESPACE = "admin.gloo.solo.io", "v2", "gloo-mesh"
_AWAIT_SECONDS = 30


@contextmanager
def without_deployment(lab: Lab, cluster: str, namespace: str, name: str) -> Iterator[None]:
    apps: Any = client.AppsV1Api(kubernetes_client(lab, cluster))
    found = apps.read_namespaced_deployment(name, namespace)
    apps.delete_namespaced_deployment(name, namespace)
    try:
        yield
    finally:
        found.metadata.resource_version = found.metadata.uid = None
        apps.create_namespaced_deployment(namespace, found)


@contextmanager
def without_object(lab: Lab, plural: str, name: str) -> Iterator[None]:
    """Without one of Gloo's objects in the management cluster."""
    custom: Any = client.CustomObjectsApi(kubernetes_client(lab, "mgmt"))
    place = (GLOO, VERSION, NAMESPACE, plural)
    found = custom.get_namespaced_custom_object(*place, name)
    custom.delete_namespaced_custom_object(*place, name)
    try:
        yield
    finally:
        for field in ("resourceVersion", "uid"):
            del found["metadata"][field]
        custom.create_namespaced_custom_object(*place, found)


@contextmanager
def changed_object(lab: Lab, plural: str, name: str, path: str, value: Any) -> Iterator[None]:
    """With another `value` at a path of one of Gloo's objects in the management cluster."""
    before = _put(lab, plural, name, path, value)
    try:
        yield
    finally:
        _put(lab, plural, name, path, before)


def _put(lab: Lab, plural: str, name: str, path: str, value: Any) -> Any:
    """Writes `value` at a path of an object; gives what was there."""
    custom: Any = client.CustomObjectsApi(kubernetes_client(lab, "mgmt"))
    place = (GLOO, VERSION, NAMESPACE, plural, name)
    whole: Any = custom.get_namespaced_custom_object(*place)
    *above, last = path.strip("/").split("/")
    part = whole
    for each in above:
        part = part[each]
    before, part[last] = part.get(last, {}), value
    custom.replace_namespaced_custom_object(*place, whole)
    return before


@contextmanager
def not_served(lab: Lab, cluster: str, name: str) -> Iterator[None]:
    """Without a kind of Gloo's, whose objects stay: deleted, the definition would be another."""
    api: Any = client.ApiextensionsV1Api(kubernetes_client(lab, cluster))
    _serve(api, name, served=False)
    try:
        yield
    finally:
        _serve(api, name, served=True)


def _serve(api: Any, name: str, *, served: bool) -> None:
    change = [{"op": "replace", "path": "/spec/versions/0/served", "value": served}]
    api.patch_custom_resource_definition(name, change)
    deadline = time.monotonic() + _AWAIT_SECONDS
    while _is_served(api, name) is not served:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _is_served(api: Any, name: str) -> bool:
    listed: Any = client.CustomObjectsApi(api.api_client)
    try:
        kinds = listed.get_api_resources(GLOO, VERSION).resources
    except ApiException as error:
        if error.status != 404:
            raise
        return False
    return any(f"{kind.name}.{GLOO}" == name for kind in kinds)


@contextmanager
def changed_deployment(lab: Lab, cluster: str, name: str, path: str, value: Any) -> Iterator[None]:
    """With `value` at a JSON path of a Deployment of istiod that has nothing there, or a text."""
    apps: Any = client.AppsV1Api(kubernetes_client(lab, cluster))
    before: Any = apps.api_client.sanitize_for_serialization(
        apps.read_namespaced_deployment(name, "istio-system")
    )
    for part in path.strip("/").split("/"):
        before = before[int(part)] if isinstance(before, list) else before.get(part)
        if before is None:
            break
    change = [{"op": "add", "path": path, "value": value}]
    apps.patch_namespaced_deployment(name, "istio-system", change)
    back = {"op": "remove", "path": path}
    if before is not None:
        back = {"op": "replace", "path": path, "value": before}
    try:
        yield
    finally:
        apps.patch_namespaced_deployment(name, "istio-system", [back])
