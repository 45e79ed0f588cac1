"""What a cluster with a node has from the start: names for Services, and for `mgmt` storage."""

from ipaddress import IPv4Network

from lab.kubernetes_objects import Object
from lab.nodes.configuration import CLUSTER_DOMAIN

SYSTEM_NAMESPACE = "kube-system"
DNS_NAME = "coredns"
STORAGE_CLASS = "lab"
PROVISIONER = "mesh-trust.lab/folder"

# Names of other domains are not known here: nothing beyond the lab is reachable from a pod.
_COREFILE = f"""\
.:53 {{
    errors
    health
    ready
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        pods insecure
        ttl 5
    }}
    cache 5
    reload
    loadbalance
}}
"""


def cluster_dns_address(services: IPv4Network) -> str:
    """Return the address of the cluster's DNS Service: the tenth, as kubeadm has it."""
    return str(services[10])


def dns(image: str, services: IPv4Network) -> list[Object]:
    """Describe CoreDNS: its permissions, configuration, Deployment and Service."""
    labels = {"k8s-app": "kube-dns"}
    role = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "system:coredns",
    }
    return [
        _namespaced("v1", "ServiceAccount", DNS_NAME, {}),
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role["name"]},
            "rules": [
                _watching("", ["endpoints", "namespaces", "pods", "services"]),
                _watching("discovery.k8s.io", ["endpointslices"]),
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role["name"]},
            "roleRef": role,
            "subjects": [
                {"kind": "ServiceAccount", "name": DNS_NAME, "namespace": SYSTEM_NAMESPACE}
            ],
        },
        _namespaced("v1", "ConfigMap", DNS_NAME, {"data": {"Corefile": _COREFILE}}),
        _namespaced(
            "apps/v1",
            "Deployment",
            DNS_NAME,
            {
                "spec": {
                    "replicas": 1,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": _dns_pod(image)},
                }
            },
        ),
        _namespaced(
            "v1",
            "Service",
            "kube-dns",
            {
                "spec": {
                    "clusterIP": cluster_dns_address(services),
                    "selector": labels,
                    "ports": [
                        {"name": "dns", "port": 53, "protocol": "UDP"},
                        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
                    ],
                }
            },
        ),
    ]


def storage_class() -> Object:
    """Describe the default StorageClass, whose volumes are folders of the lab."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def _dns_pod(image: str) -> Object:
    return {
        "serviceAccountName": DNS_NAME,
        "priorityClassName": "system-cluster-critical",
        # Its own names are answered here: it is not to ask itself.
        "dnsPolicy": "Default",
        "containers": [
            {
                "name": DNS_NAME,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "args": ["-conf", "/etc/coredns/Corefile"],
                "ports": [
                    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                    {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
                ],
                "readinessProbe": {
                    "httpGet": {"path": "/ready", "port": 8181},
                    "periodSeconds": 1,
                },
                "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}},
                "volumeMounts": [
                    {"name": "configuration", "mountPath": "/etc/coredns", "readOnly": True}
                ],
            }
        ],
        "volumes": [{"name": "configuration", "configMap": {"name": DNS_NAME}}],
    }


def _watching(group: str, resources: list[str]) -> Object:
    return {"apiGroups": [group], "resources": resources, "verbs": ["list", "watch"]}


def _namespaced(version: str, kind: str, name: str, content: Object) -> Object:
    metadata = {"name": name, "namespace": SYSTEM_NAMESPACE}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}
