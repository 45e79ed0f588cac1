"""The arguments of a ClusterTrust."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi

from .agent_permissions import AgentPermissions
from .cluster_login import ClusterLogin
from .istiod_agents import IstiodAgentChoices
from .trust_policy_choices import TrustPolicyChoices


class ClusterTrustArgs(TypedDict):
    """One workload cluster and the Vault it is to trust."""

    cluster: str
    """Name of the workload cluster, an RFC 1123 label."""
    kubernetes_host: NotRequired[str | None]
    """Address of the cluster's API server as Vault reaches it, `https://host[:port]`. It is
    required, as the next one is, but for reviewer mode `jwt`, where Vault asks nobody."""
    kubernetes_ca_certificate: NotRequired[pulumi.Input[str] | None]
    """CA certificates that the API server's certificate chains to, PEM."""
    ca_path: pulumi.Input[str]
    """API path, without `/v1`, at which the root signs: the `ca_path` of a RootPki."""
    vault_address: pulumi.Input[str]
    """Address of Vault as the cluster reaches it, `https://host[:port]`."""
    vault_ca_certificate: NotRequired[pulumi.Input[str] | None]
    """CA certificates that Vault's own certificate chains to, PEM; absent means the agent's system
    certificates."""
    vault_namespace: NotRequired[str | None]
    """Namespace of Vault Enterprise that the `vault` provider works in; none when absent."""
    intermediate_mount_path: NotRequired[str]
    """Mount in which the cluster makes its requests; `pki_int_<cluster>` when absent."""
    auth_mount_path: NotRequired[str]
    """Path of the auth mount below `auth/`; `kube-<cluster>-mesh-auth` when absent, and with
    `reviewer_mode` `jwt` `jwt-<cluster>-mesh-auth`."""
    role_name: NotRequired[str]
    """Name of the role; `gen-int-ca-istio-<cluster>-mesh` when absent."""
    policy_name: NotRequired[str]
    """Name of the policy; `gen-int-ca-istio-<cluster>-mesh` when absent."""
    intermediate_lifetime_days: NotRequired[int]
    """Lifetime in days that the cluster's agent asks for, that of the RootPki; 365 when absent."""
    istio_revisions: NotRequired[Sequence[str]]
    """Revisions of istiod, which name their service accounts; at least one, and `["default"]` when
    absent."""
    istiod_service_account: NotRequired[str | None]
    """With one revision: service account that istiod runs as; the one that Istio gives to the
    revision when absent."""
    istio_namespace: NotRequired[str]
    """Namespace of all istiods of the cluster; `istio-system` when absent."""
    agent_permissions: NotRequired[AgentPermissions | None]
    """What grants istiod's agents their permissions; a ClusterRole and a binding when absent."""
    cluster_labels: NotRequired[Mapping[str, str] | None]
    """Labels of Gloo's KubernetesCluster that no other cluster has; `cluster: <cluster>` when
    absent. Gloo sets none by itself."""
    login: NotRequired[ClusterLogin]
    """How the cluster's agent logs in to Vault; when absent, its tokens are checked by a reviewer
    of the cluster, and a login lasts an hour."""
    policy: NotRequired[str]
    """What the agent may do in Vault, `least-privilege` (when absent) or `guide`: as in
    IntermediatePkiArgs."""
    denied_parameters: NotRequired[Sequence[str] | None]
    """Parameters that `least-privilege` refuses when a request is to be signed: as in
    IntermediatePkiArgs."""
    trust_policy: NotRequired[TrustPolicyChoices]
    """Where the RootTrustPolicy is, and what it says beyond the ways to Vault."""
    trusted_roots: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Certificates of the root's generations, PEM, by their names, RFC 1123 labels: all that are to
    be trusted while roots change, the one that signs among them, and first. None when absent, where
    the root that signs is the only one."""
    istiod_agent: NotRequired[IstiodAgentChoices | None]
    """How Gloo's agent gets beside istiod; others see to that when absent."""
    root_certificate_pem: NotRequired[pulumi.Input[str]]
    """With `istiod_agent`, where it is required: certificate of the root, PEM. istiod is replaced
    when it changes, or what it is asked for by."""
