from .agent_permissions import AgentPermissions
from .agent_rbac import AgentRbac, AgentRbacArgs
from .agent_release import AgentRelease
from .agent_release_args import AgentReleaseArgs
from .agent_vault import AgentVault, KubernetesAuth
from .certificate_values import ca_certificates
from .cluster_auth_mount import ClusterAuthMount, ClusterAuthMountArgs
from .cluster_ca import ClusterCa, ClusterCaArgs
from .cluster_jwt_auth_mount import ClusterJwtAuthMount, ClusterJwtAuthMountArgs
from .cluster_login import ClusterLogin
from .cluster_trust import ClusterTrust
from .cluster_trust_args import ClusterTrustArgs
from .external_root_pki import ExternalRootPki, ExternalRootPkiArgs
from .gloo_certificates import CertificateOptions, ManagementServerCa
from .intermediate_pki import IntermediatePki, IntermediatePkiArgs
from .istiod_agent import IstiodAgent
from .istiod_agent_args import IstiodAgentArgs
from .istiod_agents import IstiodAgentChoices
from .istiod_overlay import without_agent
from .kubeconfig import ApiServer, api_server
from .kubernetes_values import ObjectReference
from .mesh_selectors import IstioMeshSelector, istiod_selectors
from .root_ca import RootCa, RootCaArgs
from .root_issuers import KnownRoot
from .root_pki import RootPki
from .root_pki_args import RootPkiArgs
from .root_profile import RootCertificateArgs
from .root_trust_policy import RootTrustPolicy
from .root_trust_policy_spec import RootTrustPolicyArgs
from .root_trust_policy_status import AwaitStatus
from .token_keys import issuer_keys
from .trust_policy_choices import TrustPolicyChoices
from .validation import InvalidInputError
from .vault_administrator import (
    AdministeredCluster,
    VaultAdministrator,
    VaultAdministratorArgs,
)
from .vault_install import VaultInstall
from .vault_install_args import VaultInstallArgs
from .vault_seal import AwsKmsArgs, AzureKeyVaultArgs, GcpCkmsArgs, SealArgs, TransitArgs
from .vault_server_args import VaultServerArgs, VolumeArgs
from .vault_tls import VaultTls, VaultTlsArgs
from .vault_token import require_no_root_token

__all__ = [
    "AdministeredCluster",
    "AgentPermissions",
    "AgentRbac",
    "AgentRbacArgs",
    "AgentRelease",
    "AgentReleaseArgs",
    "AgentVault",
    "ApiServer",
    "AwaitStatus",
    "AwsKmsArgs",
    "AzureKeyVaultArgs",
    "CertificateOptions",
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
    "GcpCkmsArgs",
    "IntermediatePki",
    "IntermediatePkiArgs",
    "InvalidInputError",
    "IstioMeshSelector",
    "IstiodAgent",
    "IstiodAgentArgs",
    "IstiodAgentChoices",
    "KnownRoot",
    "KubernetesAuth",
    "ManagementServerCa",
    "ObjectReference",
    "RootCa",
    "RootCaArgs",
    "RootCertificateArgs",
    "RootPki",
    "RootPkiArgs",
    "RootTrustPolicy",
    "RootTrustPolicyArgs",
    "SealArgs",
    "TransitArgs",
    "TrustPolicyChoices",
    "VaultAdministrator",
    "VaultAdministratorArgs",
    "VaultInstall",
    "VaultInstallArgs",
    "VaultServerArgs",
    "VaultTls",
    "VaultTlsArgs",
    "VolumeArgs",
    "api_server",
    "ca_certificates",
    "issuer_keys",
    "istiod_selectors",
    "require_no_root_token",
    "without_agent",
]
