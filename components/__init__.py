"""HashiCorp Vault as the intermediate CA of an Istio / Gloo Mesh fleet, as Pulumi components."""

from .agent_rbac import AgentRbac, AgentRbacArgs
from .cluster_auth_mount import ClusterAuthMount, ClusterAuthMountArgs
from .cluster_trust import ClusterTrust, ClusterTrustArgs
from .external_root_pki import ExternalRootPki, ExternalRootPkiArgs
from .intermediate_pki import IntermediatePki, IntermediatePkiArgs
from .kubeconfig import ApiServer, api_server
from .root_ca import RootCa, RootCaArgs
from .root_issuers import KnownRoot
from .root_pki import RootPki, RootPkiArgs
from .root_profile import RootCertificateArgs
from .root_trust_policy import IstioMeshSelector, RootTrustPolicy, RootTrustPolicyArgs
from .validation import InvalidInputError
from .vault_install import VaultInstall
from .vault_install_args import VaultInstallArgs

__all__ = [
    "AgentRbac",
    "AgentRbacArgs",
    "ApiServer",
    "ClusterAuthMount",
    "ClusterAuthMountArgs",
    "ClusterTrust",
    "ClusterTrustArgs",
    "ExternalRootPki",
    "ExternalRootPkiArgs",
    "IntermediatePki",
    "IntermediatePkiArgs",
    "InvalidInputError",
    "IstioMeshSelector",
    "KnownRoot",
    "RootCa",
    "RootCaArgs",
    "RootCertificateArgs",
    "RootPki",
    "RootPkiArgs",
    "RootTrustPolicy",
    "RootTrustPolicyArgs",
    "VaultInstall",
    "VaultInstallArgs",
    "api_server",
]
