"""Pods run on the lab's nodes as on anybody's."""

import errno
import socket
from functools import partial
from typing import Any

import pytest
from kubernetes import client

from lab.lab import Lab
from lab.memory import LabMemory
from lab.nodes.addresses import NodeNetwork

from .certificate_service import await_istiod
from .conftest import CLUSTERS
from .pods import api_client, core, outcome, running, shell_pod, until

EVERYWHERE = ("mgmt", *CLUSTERS)


def network(lab: Lab) -> NodeNetwork:
    number = LabMemory.read(lab.directory).network
    assert number is not None
    return NodeNetwork(number)


@pytest.mark.parametrize("cluster", EVERYWHERE)
def test_each_cluster_has_one_node_of_its_own(lab: Lab, cluster: str) -> None:
    [node] = core(lab, cluster).list_node().items
    conditions = {each.type: each.status for each in node.status.conditions}
    addresses = {each.type: each.address for each in node.status.addresses}

    assert (node.metadata.name, conditions["Ready"]) == (f"{cluster}-node", "True")
    assert addresses["InternalIP"] == str(network(lab).node(EVERYWHERE.index(cluster)).ip)
    assert node.status.node_info.container_runtime_version.startswith("containerd://")


@pytest.mark.parametrize("cluster", EVERYWHERE)
def test_a_pod_runs_and_finds_its_clusters_names(lab: Lab, cluster: str) -> None:
    script = "nslookup kubernetes.default.svc.cluster.local && nc -w 3 10.96.0.1 443 </dev/null"
    phase, output = outcome(lab, cluster, shell_pod("names", script))

    assert phase == "Succeeded", output
    assert "Address: 10.96.0.1" in output


def test_a_pod_that_fails_is_told_from_one_that_does_not(lab: Lab) -> None:
    assert outcome(lab, "east", shell_pod("failing", "exit 3"))[0] == "Failed"
    assert outcome(lab, "east", shell_pod("unknown", "nslookup nobody.default.svc.cluster.local"))[
        0
    ] == ("Failed")


def test_istiod_runs_as_its_own_account(lab: Lab) -> None:
    for cluster in CLUSTERS:
        pod = await_istiod(lab, cluster)
        assert pod.spec.service_account_name == "istiod"
        tokens = "/var/run/secrets/kubernetes.io/serviceaccount/token"
        beside = shell_pod("beside", f"cat {tokens}; echo; sleep 600", serviceAccountName="istiod")
        with running(lab, cluster, beside, "istio-system") as api:
            read = partial(_log, api, "beside", "istio-system")
            # Of use as long as its pod is there.
            token = until(read, "token in the log")
            review = client.AuthenticationV1Api(api_client(lab, cluster)).create_token_review(
                {"spec": {"token": token}}  # type: ignore[arg-type]
            )
        user = review.status.user.username  # type: ignore[union-attr]
        assert user == "system:serviceaccount:istio-system:istiod"


def _log(api: Any, pod: str, namespace: str) -> str:
    """What a pod has printed; nothing where it has not begun."""
    if api.read_namespaced_pod(pod, namespace).status.phase != "Running":
        return ""
    log: str = api.read_namespaced_pod_log(pod, namespace)
    return log.strip()


def test_a_load_balancer_has_an_address_that_answers_everywhere(lab: Lab) -> None:
    """From the host, and from a pod of another cluster."""
    server = shell_pod("server", "while true; do echo served | nc -l -p 8080; done")
    service: Any = {
        "metadata": {"name": "server"},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app": "server"},
            "ports": [{"port": 80, "targetPort": 8080}],
        },
    }
    with running(lab, "mgmt", server) as api:
        api.create_namespaced_service("default", service)

        def address() -> str | None:
            ingress = api.read_namespaced_service("server", "default").status.load_balancer.ingress
            return ingress[0].ip if ingress else None

        try:
            found = until(address, "address of the load balancer")
            assert found in {str(each) for each in network(lab).load_balancers(0)}
            ask = shell_pod("asking", f"nc -w 5 {found} 80 </dev/null")
            until(lambda: "served" in outcome(lab, "east", ask)[1], "answer in another cluster")

            api.patch_namespaced_service("server", "default", {"spec": {"type": "ClusterIP"}})
            until(lambda: address() is None, "address taken back")
            assert outcome(lab, "east", ask)[0] == "Failed"
        finally:
            api.delete_namespaced_service("server", "default")


def test_a_load_balancer_without_endpoints_refuses_and_one_that_is_gone_is_not_found(
    lab: Lab,
) -> None:
    """As a cloud's does: the way to the cluster's addresses is there, whoever has them."""
    api = core(lab, "mgmt")
    spec: Any = {
        "type": "LoadBalancer",
        "selector": {"app": "nobody"},
        "ports": [{"port": 80}],
    }
    api.create_namespaced_service("default", {"metadata": {"name": "nobody"}, "spec": spec})

    def address() -> str | None:
        ingress = api.read_namespaced_service("nobody", "default").status.load_balancer.ingress
        return ingress[0].ip if ingress else None

    try:
        found = until(address, "address of the load balancer")
        until(lambda: _refusal(found) == "ECONNREFUSED", "a connection refused")
    finally:
        api.delete_namespaced_service("nobody", "default")
    until(lambda: _refusal(found) == "EHOSTUNREACH", "an address that is not found")


def _refusal(address: str) -> str:
    """Why the host gets no connection."""
    try:
        with socket.create_connection((address, 80), timeout=5):
            return ""
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def test_a_service_that_asks_for_no_address_gets_none(lab: Lab) -> None:
    [service] = core(lab, "mgmt").list_namespaced_service("kube-system").items
    assert service.status.load_balancer.ingress is None


def test_a_claim_gets_a_volume_that_any_user_can_write_to(lab: Lab) -> None:
    claim: Any = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    pod = shell_pod(
        "writing",
        "id -u > /data/user && cat /data/user",
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        container={
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            "securityContext": {"runAsUser": 100},
        },
    )
    api = core(lab, "mgmt")
    api.create_namespaced_persistent_volume_claim("default", claim)
    try:
        assert outcome(lab, "mgmt", pod) == ("Succeeded", "100\n")
        [written] = lab.directory.volumes.glob("*/user")
        assert written.read_text() == "100\n"
    finally:
        api.delete_namespaced_persistent_volume_claim("data", "default")
    until(lambda: not api.list_persistent_volume().items, "deletion of the volume")
    until(lambda: not any(lab.directory.volumes.iterdir()), "deletion of its folder")


def test_a_pod_has_no_more_memory_than_it_may(lab: Lab) -> None:
    limited = {"resources": {"limits": {"memory": "32Mi"}}}
    greedy = shell_pod("greedy", "tail /dev/zero", container=limited)
    modest = shell_pod("modest", "true", container=limited)

    assert outcome(lab, "west", greedy)[0] == "Failed"
    assert outcome(lab, "west", modest)[0] == "Succeeded"


def test_another_clusters_pods_are_not_to_be_had_directly(lab: Lab) -> None:
    """What a cluster shows to others are its load balancers: as between real networks."""
    server = shell_pod("server", "while true; do echo served | nc -l -p 8080; done")
    with running(lab, "mgmt", server) as api:
        address = until(
            lambda: api.read_namespaced_pod("server", "default").status.pod_ip, "pod's address"
        )
        ask = f"nc -w 3 {address} 8080 </dev/null"
        until(lambda: "served" in outcome(lab, "mgmt", shell_pod("near", ask))[1], "answer nearby")
        assert outcome(lab, "east", shell_pod("far", ask))[0] == "Failed"
