"""HashiCorp Vault as the intermediate CA of an Istio / Gloo Mesh fleet, as Pulumi components."""

from .agent_rbac import AgentRbac, AgentRbacArgs
from .cluster_auth_mount import ClusterAuthMount, ClusterAuthMountArgs
from .cluster_ca import ClusterCa, ClusterCaArgs
from .cluster_jwt_auth_mount import ClusterJwtAuthMount, ClusterJwtAuthMountArgs
from .cluster_login import ClusterLogin
from .cluster_trust import ClusterTrust, ClusterTrustArgs
from .external_root_pki import ExternalRootPki, ExternalRootPkiArgs
from .intermediate_pki import IntermediatePki, IntermediatePkiArgs
from .istiod_agent import IstiodAgent
from .istiod_agent_args import IstiodAgentArgs
from .istiod_overlay import without_agent
from .kubeconfig import ApiServer, api_server
from .root_ca import RootCa, RootCaArgs
from .root_issuers import KnownRoot
from .root_pki import RootPki, RootPkiArgs
from .root_profile import RootCertificateArgs
from .root_trust_policy import IstioMeshSelector, RootTrustPolicy, RootTrustPolicyArgs
from .token_keys import issuer_keys
from .validation import InvalidInputError
from .vault_administrator import (
    AdministeredCluster,
    VaultAdministrator,
    VaultAdministratorArgs,
)
from .vault_install import VaultInstall
from .vault_install_args import VaultInstallArgs
from .vault_token import require_no_root_token

__all__ = [
    "AdministeredCluster",
    "AgentRbac",
    "AgentRbacArgs",
    "ApiServer",
    "ClusterAuthMount",
    "ClusterAuthMountArgs",
    "ClusterCa",
    "ClusterCaArgs",
    "ClusterJwtAuthMount",
    "ClusterJwtAuthMountArgs",
    "ClusterLogin",
    "ClusterTrust",
    "ClusterTrustArgs",
    "ExternalRootPki",
    "ExternalRootPkiArgs",
    "IntermediatePki",
    "IntermediatePkiArgs",
    "InvalidInputError",
    "IstioMeshSelector",
    "IstiodAgent",
    "IstiodAgentArgs",
    "KnownRoot",
    "RootCa",
    "RootCaArgs",
    "RootCertificateArgs",
    "RootPki",
    "RootPkiArgs",
    "RootTrustPolicy",
    "RootTrustPolicyArgs",
    "VaultAdministrator",
    "VaultAdministratorArgs",
    "VaultInstall",
    "VaultInstallArgs",
    "api_server",
    "issuer_keys",
    "require_no_root_token",
    "without_agent",
]
