"""What stands in the way of rotations in clusters without nodes, and is put back."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from kubernetes import client

from lab.lab import Lab
from tests.certificates import Recipe, make

from .cluster_breakages import in_place_of_root
from .healthy import ROOT_MAP, accept, apps, core, namespaces, put_map
from .put_back import put_back

POLICIES = ("admin.gloo.solo.io", "v2")
ISTIOD = ("istiod", "istio-system")


def write_roots(lab: Lab, cluster: str, *roots: str) -> None:
    """Has istiod's ConfigMaps hold these roots (PEM) in every namespace."""
    for namespace in namespaces(lab, cluster):
        put_map(lab, cluster, namespace, ROOT_MAP, {"root-cert.pem": "".join(roots)})


def a_namespace_lacks_the_root(lab: Lab) -> AbstractContextManager[None]:
    """It has another in its place."""
    other = make(Recipe(common_name="other")).certificate_pem
    return in_place_of_root(lab, "west", "default", lambda _: other)


def a_namespace_has_a_further_root(lab: Lab) -> AbstractContextManager[None]:
    other = make(Recipe(common_name="other")).certificate_pem
    return in_place_of_root(lab, "east", "default", lambda before: before + other)


@put_back
def no_namespace_has_a_root(lab: Lab) -> Iterator[None]:
    with ExitStack() as stack:
        api = core(lab, "west")
        for namespace in namespaces(lab, "west"):
            data = api.read_namespaced_config_map(ROOT_MAP, namespace).data
            api.delete_namespaced_config_map(ROOT_MAP, namespace)
            stack.callback(put_map, lab, "west", namespace, ROOT_MAP, data)
        yield


@put_back
def istiod_is_paused(lab: Lab) -> Iterator[None]:
    """And wants a pod."""
    api = apps(lab, "west")
    api.patch_namespaced_deployment(*ISTIOD, {"spec": {"paused": True, "replicas": 1}})
    yield
    api.patch_namespaced_deployment(*ISTIOD, {"spec": {"paused": None, "replicas": 0}})


def a_proxy(
    name: str, cluster: str, **variables: str
) -> Callable[[Lab], AbstractContextManager[None]]:
    """A pod with Istio's sidecar, which no node takes."""

    @put_back
    def there(lab: Lab) -> Iterator[None]:
        api = core(lab, cluster)
        environment = [{"name": key, "value": value} for key, value in variables.items()]
        container = {"name": "istio-proxy", "image": "proxy", "env": environment}
        pod = {"metadata": {"name": name}, "spec": {"containers": [container]}}
        api.create_namespaced_pod("default", pod)
        yield
        api.delete_namespaced_pod(name, "default", grace_period_seconds=0)

    return there


def a_policy_that_restarts(
    cluster: str, namespace: str, *, restarts: bool = True
) -> Callable[[Lab], AbstractContextManager[None]]:
    """A RootTrustPolicy of somebody else."""

    @put_back
    def there(lab: Lab) -> Iterator[None]:
        objects: Any = client.CustomObjectsApi(core(lab, cluster).api_client)
        policy = {
            "apiVersion": "/".join(POLICIES),
            "kind": "RootTrustPolicy",
            "metadata": {"name": "by-hand"},
            "spec": {"config": {"autoRestartPods": restarts, "mgmtServerCa": {"generated": {}}}},
        }
        place = (*POLICIES, namespace, "roottrustpolicies")
        objects.create_namespaced_custom_object(*place, policy)
        yield
        objects.delete_namespaced_custom_object(*place, "by-hand")

    return there


@put_back
def passive_roots(lab: Lab, cluster: str, *roots: str) -> Iterator[None]:
    """Has the RootTrustPolicy of a cluster trust these roots (PEM), each in a Secret."""
    api = core(lab, cluster)
    objects: Any = client.CustomObjectsApi(api.api_client)
    place = (*POLICIES, "gloo-mesh", "roottrustpolicies", cluster)
    names = [f"root-{number}" for number in range(len(roots))]
    for name, root in zip(names, roots, strict=True):
        secret = {"metadata": {"name": name}, "stringData": {"root-cert.pem": root}}
        api.create_namespaced_secret("gloo-mesh", secret)
    passive = [{"secretRef": {"name": name, "namespace": "gloo-mesh"}} for name in names]
    change = {"spec": {"config": {"passiveCertificateAuthorities": passive or None}}}
    objects.patch_namespaced_custom_object(*place, change)
    accept(lab, cluster)
    yield
    back = {"spec": {"config": {"passiveCertificateAuthorities": None}}}
    objects.patch_namespaced_custom_object(*place, back)
    for name in names:
        api.delete_namespaced_secret(name, "gloo-mesh")
