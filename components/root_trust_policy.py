"""The Gloo resource that sends a cluster's istiod agent to Vault."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from .names import GLOO_NAMESPACE, ISTIO_NAMESPACE
from .validation import (
    InvalidInputError,
    require_dns_label,
    require_server_address,
    require_vault_path,
    require_whole_number,
)

API_VERSION = "admin.gloo.solo.io/v2"

GLOO_LIFETIME_DAYS = 365
"""What Gloo asks for when `intermediateCertOptions.ttlDays` says nothing."""


class IstioMeshSelector(TypedDict):
    """Which Istio installations a policy applies to."""

    cluster_labels: NotRequired[Mapping[str, str]]
    """Labels of the KubernetesCluster (Gloo: `clusterSelector`); at least one."""
    mesh_labels: NotRequired[Mapping[str, str]]
    """Labels of istiod's Deployment (Gloo: `selector`); any when absent."""
    namespace: NotRequired[str]
    """Namespace of istiod; `istio-system` when absent."""


class RootTrustPolicyArgs(TypedDict):
    """Where Vault is, the paths of one cluster in it, and the role to log in with."""

    cluster: str
    """Name of the workload cluster, an RFC 1123 label; also the name of the policy."""
    vault_address: pulumi.Input[str]
    """Address of Vault as the cluster reaches it, `https://host[:port]`."""
    ca_path: pulumi.Input[str]
    """API path, without `/v1`, at which the root signs: the `ca_path` of a RootPki."""
    csr_path: pulumi.Input[str]
    """API path, without `/v1`, of certificate requests: the `csr_path` of an IntermediatePki."""
    auth_mount_path: pulumi.Input[str]
    """Path below `auth/`: the `mount_path` of a ClusterAuthMount."""
    role_name: pulumi.Input[str]
    """Role to log in with: the `role_name` of a ClusterAuthMount."""
    vault_ca_certificate: NotRequired[pulumi.Input[str] | None]
    """CA certificates that Vault's own certificate chains to, PEM; absent means the agent's system
    certificates."""
    vault_namespace: NotRequired[str | None]
    """Namespace of Vault Enterprise that the paths are in; none when absent."""
    namespace: NotRequired[str]
    """Namespace of the policy; `gloo-mesh` when absent."""
    apply_to_meshes: NotRequired[Sequence[IstioMeshSelector]]
    """What it applies to; when absent, the istiod of the cluster whose KubernetesCluster has the
    label `cluster: <cluster>`, which Gloo does not set by itself. Gloo takes an empty list for
    every mesh there is, so an empty one is refused."""
    intermediate_lifetime_days: NotRequired[int]
    """Lifetime in days that the agent asks for (Gloo: `intermediateCertOptions.ttlDays`), that of
    the RootPki; 365 when absent, as Gloo does by itself."""
    auto_restart_pods: NotRequired[bool]
    """Whether Gloo restarts workloads when certificates change, all at once; false when absent."""


class RootTrustPolicy(pulumi.ComponentResource):
    """Gloo's RootTrustPolicy of one cluster, with Vault as the intermediate CA."""

    policy_id: pulumi.Output[str]
    """The RootTrustPolicy object, `namespace/name`."""

    def __init__(
        self, name: str, args: RootTrustPolicyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers the policy.

        Raises:
            InvalidInputError: a name is not usable, or the selectors would pick every mesh.
        """
        cluster = require_dns_label("cluster", args["cluster"])
        namespace = require_dns_label("namespace", args.get("namespace", GLOO_NAMESPACE))
        meshes = apply_to_meshes(
            args.get("apply_to_meshes", istiod_selectors({"cluster": cluster}))
        )

        lifetime_days = require_whole_number(
            "intermediate_lifetime_days",
            args.get("intermediate_lifetime_days", GLOO_LIFETIME_DAYS),
            minimum=1,
            unit="days",
        )
        config: dict[str, Any] = {
            "agentCa": {"vault": _vault(args)},
            "autoRestartPods": args.get("auto_restart_pods", False),
        }
        if lifetime_days != GLOO_LIFETIME_DAYS:
            config["intermediateCertOptions"] = {"ttlDays": lifetime_days}

        super().__init__("mesh-trust:index:RootTrustPolicy", name, None, opts)

        policy = kubernetes.apiextensions.CustomResource(
            f"{name}-policy",
            api_version=API_VERSION,
            kind="RootTrustPolicy",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=cluster, namespace=namespace),
            spec={"applyToMeshes": meshes, "config": config},
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.policy_id = policy.id
        self.register_outputs({"policy_id": self.policy_id})


def istiod_selectors(
    cluster_labels: Mapping[str, str], namespace: str = ISTIO_NAMESPACE
) -> list[IstioMeshSelector]:
    """The selectors that pick the istiod in `namespace` of the clusters with `cluster_labels`."""
    return [
        {
            "cluster_labels": cluster_labels,
            "mesh_labels": {"app": "istiod"},
            "namespace": namespace,
        }
    ]


def apply_to_meshes(selectors: Sequence[IstioMeshSelector]) -> list[dict[str, Any]]:
    """`spec.applyToMeshes` for `selectors`.

    Raises:
        InvalidInputError: the list, or the cluster's labels in a selector, is empty: that is every
            mesh.
    """
    if not selectors:
        raise InvalidInputError(
            "apply_to_meshes", list(selectors), "name a selector; an empty list means every mesh"
        )
    return [_istio_selector(selector) for selector in selectors]


def _istio_selector(selector: IstioMeshSelector) -> dict[str, Any]:
    cluster_labels = selector.get("cluster_labels")
    mesh_labels = selector.get("mesh_labels")
    if not cluster_labels:
        raise InvalidInputError(
            "apply_to_meshes.cluster_labels",
            cluster_labels,
            "name a label of the cluster; none means the meshes of every cluster",
        )
    istio: dict[str, Any] = {
        "clusterSelector": dict(cluster_labels),
        "namespace": require_dns_label(
            "apply_to_meshes.namespace", selector.get("namespace", ISTIO_NAMESPACE)
        ),
    }
    if mesh_labels:
        istio["selector"] = dict(mesh_labels)
    return {"istio": istio}


def _vault(args: RootTrustPolicyArgs) -> dict[str, Any]:
    if isinstance(args["vault_address"], str):
        require_server_address("vault_address", args["vault_address"], allow_http=True)
    vault_namespace = args.get("vault_namespace")
    vault: dict[str, Any] = {
        "server": args["vault_address"],
        "caPath": args["ca_path"],
        "csrPath": args["csr_path"],
        "kubernetesAuth": {
            # Unlike the two paths above, Gloo takes this one with the API's version.
            "mountPath": pulumi.Output.concat("/v1/auth/", args["auth_mount_path"]),
            "role": args["role_name"],
        },
    }
    if vault_namespace is not None:
        vault["namespace"] = require_vault_path("vault_namespace", vault_namespace)
    certificate = args.get("vault_ca_certificate")
    if certificate is not None:
        vault["caBundle"] = pulumi.Output.from_input(certificate).apply(
            lambda pem: base64.b64encode(pem.encode()).decode()
        )
    return vault
