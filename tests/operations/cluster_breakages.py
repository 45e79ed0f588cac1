"""Things that go wrong in the clusters after an update."""

from collections.abc import Callable, Iterator

import yaml

from lab.lab import Lab
from tests.certificates import Recipe, make

from .healthy import (
    ISSUED,
    POLICIES,
    PROXIES,
    ROOT_MAP,
    accept,
    apps,
    core,
    custom,
    issue,
    put_map,
)
from .put_back import put_back

MESHES = ("internal.gloo.solo.io", "v2", "gloo-mesh", "meshes")
MESH = "istiod-istio-system-{}"


@put_back
def root_trust_policy_is_changed(lab: Lab) -> Iterator[None]:
    """And Gloo has accepted that."""
    objects = custom(lab, "east")
    before = objects.get_namespaced_custom_object(*POLICIES, "east")["spec"]
    change = {"config": {"agentCa": {"vault": {"caPath": "other/root/sign-intermediate"}}}}
    objects.patch_namespaced_custom_object(*POLICIES, "east", {"spec": change})
    accept(lab, "east")
    yield
    objects.patch_namespaced_custom_object(*POLICIES, "east", {"spec": before})
    accept(lab, "east")


@put_back
def root_trust_policy_is_refused(lab: Lab) -> Iterator[None]:
    accept(lab, "west", "INVALID")
    yield
    accept(lab, "west")


@put_back
def root_trust_policy_is_not_looked_at(lab: Lab) -> Iterator[None]:
    accept(lab, "west", behind=1)
    yield
    accept(lab, "west")


@put_back
def a_policy_restarts_pods(lab: Lab) -> Iterator[None]:
    """In the management cluster, in a namespace of its own."""
    place = ("admin.gloo.solo.io", "v2", "default", "roottrustpolicies")
    objects = custom(lab, "mgmt")
    policy = {
        "apiVersion": "admin.gloo.solo.io/v2",
        "kind": "RootTrustPolicy",
        "metadata": {"name": "by-hand"},
        "spec": {"config": {"autoRestartPods": True, "mgmtServerCa": {"generated": {}}}},
    }
    objects.create_namespaced_custom_object(*place, policy)
    yield
    objects.delete_namespaced_custom_object(*place, "by-hand")


@put_back
def mesh_is_not_discovered(lab: Lab) -> Iterator[None]:
    objects, name = custom(lab, "west"), MESH.format("west")
    before = objects.get_namespaced_custom_object(*MESHES, name)
    objects.delete_namespaced_custom_object(*MESHES, name)
    yield
    before["metadata"] = {"name": name}
    objects.create_namespaced_custom_object(*MESHES, before)


@put_back
def gloo_complains_of_a_mesh(lab: Lab) -> Iterator[None]:
    mesh = {"kind": "Mesh", "name": MESH.format("east"), "namespace": "gloo-mesh"}
    event = {
        "metadata": {"name": "complaint"},
        "involvedObject": mesh,
        "type": "Warning",
        "reason": "Untranslated",
        "message": "its agent is not connected",
    }
    core(lab, "east").create_namespaced_event("gloo-mesh", event)
    yield
    core(lab, "east").delete_namespaced_event("complaint", "gloo-mesh")


@put_back
def certificate_is_not_issued(lab: Lab) -> Iterator[None]:
    issue(lab, "east", "FAILED", "Code: 403. Errors: permission denied")
    yield
    issue(lab, "east", "FINISHED")


@put_back
def certificate_is_waited_for(lab: Lab) -> Iterator[None]:
    issue(lab, "west", "REQUESTED")
    yield
    issue(lab, "west", "FINISHED")


@put_back
def no_certificate_is_ordered(lab: Lab) -> Iterator[None]:
    objects, name = custom(lab, "east"), "istiod-istio-system-east"
    before = objects.get_namespaced_custom_object(*ISSUED, name)
    objects.delete_namespaced_custom_object(*ISSUED, name)
    yield
    before["metadata"] = {"name": name}
    objects.create_namespaced_custom_object(*ISSUED, before)
    issue(lab, "east", "FINISHED")


@put_back
def a_namespace_has_another_root(lab: Lab) -> Iterator[None]:
    theirs = make(Recipe(common_name="istiod's own")).certificate_pem
    with in_place_of_root(lab, "west", "gloo-mesh", lambda _: theirs):
        yield


@put_back
def a_namespace_has_a_further_root(lab: Lab) -> Iterator[None]:
    theirs = make(Recipe(common_name="a stranger")).certificate_pem
    with in_place_of_root(lab, "east", "default", lambda ours: f"{ours}{theirs}"):
        yield


@put_back
def a_namespace_has_no_root(lab: Lab) -> Iterator[None]:
    api = core(lab, "west")
    data = api.read_namespaced_config_map(ROOT_MAP, "default").data
    api.delete_namespaced_config_map(ROOT_MAP, "default")
    yield
    put_map(lab, "west", "default", ROOT_MAP, data)


@put_back
def a_ca_key_lies_in_cacerts(lab: Lab) -> Iterator[None]:
    """Under the name that cert-manager gives to a key."""
    with secret(lab, "east", "istio-system", "cacerts", "tls.key"):
        yield


@put_back
def a_ca_key_lies_elsewhere(lab: Lab) -> Iterator[None]:
    with secret(lab, "mgmt", "default", "forgotten", "ca-key.pem"):
        yield


@put_back
def a_servers_key_is_there(lab: Lab) -> Iterator[None]:
    """A key, and none of a CA."""
    with secret(lab, "east", "default", "server", "tls.key"):
        yield


@put_back
def istiod_does_not_start(lab: Lab) -> Iterator[None]:
    """There is no node for it."""
    api = apps(lab, "west")
    api.patch_namespaced_deployment_scale("istiod", "istio-system", {"spec": {"replicas": 1}})
    yield
    api.patch_namespaced_deployment_scale("istiod", "istio-system", {"spec": {"replicas": 0}})


@put_back
def agent_is_taken_out(lab: Lab) -> Iterator[None]:
    api = apps(lab, "east")
    before = api.read_namespaced_deployment("istiod", "istio-system")
    agent = {"name": "gloo-mesh-istiod-agent", "$patch": "delete"}
    change = {"spec": {"template": {"spec": {"containers": [agent]}}}}
    api.patch_namespaced_deployment("istiod", "istio-system", change)
    yield
    before.metadata.resource_version = None
    before.metadata.managed_fields = None
    api.replace_namespaced_deployment("istiod", "istio-system", before)


@put_back
def istiod_takes_no_changed_root(lab: Lab) -> Iterator[None]:
    name = "istiod-agent-environment"
    before = core(lab, "east").read_namespaced_config_map(name, "istio-system").data
    patch_map(lab, "east", name, {"ISTIO_MULTIROOT_MESH": "false"})
    yield
    patch_map(lab, "east", name, before)


@put_back
def proxies_take_no_changed_root(lab: Lab) -> Iterator[None]:
    put_map(lab, "west", "istio-system", "istio", {"mesh": "defaultConfig: {}"})
    yield
    put_map(lab, "west", "istio-system", "istio", {"mesh": yaml.safe_dump(PROXIES)})


@put_back
def in_place_of_root(
    lab: Lab, cluster: str, namespace: str, changed: Callable[[str], str]
) -> Iterator[None]:
    before = core(lab, cluster).read_namespaced_config_map(ROOT_MAP, namespace).data
    data = {"root-cert.pem": changed(before["root-cert.pem"])}
    put_map(lab, cluster, namespace, ROOT_MAP, data)
    yield
    put_map(lab, cluster, namespace, ROOT_MAP, before)


@put_back
def secret(lab: Lab, cluster: str, namespace: str, name: str, key: str) -> Iterator[None]:
    body = {"metadata": {"name": name}, "stringData": {key: "not shown"}}
    core(lab, cluster).create_namespaced_secret(namespace, body)
    yield
    core(lab, cluster).delete_namespaced_secret(name, namespace)


def patch_map(lab: Lab, cluster: str, name: str, data: dict[str, str]) -> None:
    core(lab, cluster).patch_namespaced_config_map(name, "istio-system", {"data": data})
