"""What Gloo and istiod would write into the clusters once all is well, written by plain clients."""

from typing import Any

import yaml
from kubernetes import client

from lab.lab import Lab
from tests.program.inventory import kubernetes_client

ROOT_MAP = "istio-ca-root-cert"
SYSTEM = ("kube-node-lease", "kube-public", "kube-system")
PROXIES = {"defaultConfig": {"proxyMetadata": {"PROXY_CONFIG_XDS_AGENT": "true"}}}
ISSUED = ("internal.gloo.solo.io", "v2", "istio-system", "issuedcertificates")
POLICIES = ("admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies")


def core(lab: Lab, cluster: str) -> Any:
    return client.CoreV1Api(kubernetes_client(lab, cluster))


def custom(lab: Lab, cluster: str) -> Any:
    return client.CustomObjectsApi(kubernetes_client(lab, cluster))


def apps(lab: Lab, cluster: str) -> Any:
    return client.AppsV1Api(kubernetes_client(lab, cluster))


def make_healthy(lab: Lab, cluster: str, root_pem: str) -> None:
    """As it would be in `cluster` where istiod has its CA from the root, and Gloo is content."""
    for namespace in namespaces(lab, cluster):
        put_map(lab, cluster, namespace, ROOT_MAP, {"root-cert.pem": root_pem})
    put_map(lab, cluster, "istio-system", "istio", {"mesh": yaml.safe_dump(PROXIES)})
    accept(lab, cluster)
    certificate = {
        "apiVersion": "internal.gloo.solo.io/v2",
        "kind": "IssuedCertificate",
        "metadata": {"name": f"istiod-istio-system-{cluster}"},
        "spec": {"hosts": [f"spiffe://{cluster}/ns/istio-system/sa/istiod"]},
    }
    custom(lab, cluster).create_namespaced_custom_object(*ISSUED, certificate)
    issue(lab, cluster, "FINISHED")


def namespaces(lab: Lab, cluster: str) -> list[str]:
    """Those that Istio gives a root to."""
    found = [each.metadata.name for each in core(lab, cluster).list_namespace().items]
    return [each for each in found if each not in SYSTEM]


def put_map(lab: Lab, cluster: str, namespace: str, name: str, data: dict[str, str]) -> None:
    """Makes the ConfigMap, or has it hold just this."""
    api, body = core(lab, cluster), {"metadata": {"name": name}, "data": data}
    try:
        api.create_namespaced_config_map(namespace, body)
    except client.exceptions.ApiException as error:
        if error.status != 409:
            raise
        api.replace_namespaced_config_map(name, namespace, body)


def accept(lab: Lab, cluster: str, state: str = "ACCEPTED", behind: int = 0) -> None:
    """Judges the cluster's RootTrustPolicy, as it is now or so many generations ago."""
    objects = custom(lab, cluster)
    policy = objects.get_namespaced_custom_object(*POLICIES, cluster)
    status = {"state": state, "observedGeneration": policy["metadata"]["generation"] - behind}
    objects.patch_namespaced_custom_object_status(*POLICIES, cluster, {"status": status})


def issue(lab: Lab, cluster: str, state: str, error: str = "") -> None:
    """Brings the cluster's IssuedCertificate into a state."""
    status = {"state": state, "error": error}
    custom(lab, cluster).patch_namespaced_custom_object_status(
        *ISSUED, f"istiod-istio-system-{cluster}", {"status": status}
    )
