"""The public surface, frozen: a change here is a change for everyone who uses the components."""

import inspect
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

import mesh_trust
from mesh_trust import (
    AgentRbac,
    AgentRelease,
    ClusterAuthMount,
    ClusterCa,
    ClusterJwtAuthMount,
    ClusterTrust,
    ExternalRootPki,
    IntermediatePki,
    IstiodAgent,
    RootCa,
    RootPki,
    RootTrustPolicy,
    VaultAdministrator,
    VaultInstall,
    VaultTls,
)
from mesh_trust.never_overwrite import _Run
from tests.certificates import Recipe, make, rsa_key
from tests.root_trust_policies import ORDINARY

from .conftest import Recorder, run
from .test_cluster_ca import REQUEST, SIGNED
from .test_cluster_trust import ARGS as CLUSTER_TRUST
from .test_istiod_agent import ARGS as AGENT
from .test_istiod_agent import istiod_is_there
from .test_parts import AUTH, CLUSTER_CA, JWT_AUTH

__all__ = ["istiod_is_there"]

ROOT = make(Recipe(key=rsa_key(4096), ends=3649))
ROOT_OF_CAS = make(Recipe(key=rsa_key(4096), ends=3649, path_length=2))
ROOT_PKI = {"certificate_pem": ROOT.certificate_pem, "private_key_pem": ROOT.private_key_pem}
EXTERNAL = {"certificate_pem": ROOT.certificate_pem, "signing_mount": "corporate/pki"}

# Class, arguments, and the outputs it registers.
COMPONENTS: list[tuple[Callable[..., pulumi.ComponentResource], Any, set[str]]] = [
    (RootCa, {"common_name": "root"}, {"certificate_pem", "private_key_pem"}),
    (
        RootPki,
        ROOT_PKI,
        {"certificate_pem", "mount_path", "ca_path", "issuer_id", "root_certificates"},
    ),
    (ExternalRootPki, EXTERNAL, {"certificate_pem", "mount_path", "ca_path", "issuer_id"}),
    (
        VaultInstall,
        {"mode": "existing", "address": "https://vault"},
        {"address", "audit_file", "ca_certificate", "namespace", "root_token", "service_name"},
    ),
    (
        VaultTls,
        {"dns_names": ["vault"], "ip_addresses": []},
        {"ca_certificate", "certificate", "private_key"},
    ),
    (
        IntermediatePki,
        {"cluster": "east", "ca_path": "pki/root/sign-intermediate"},
        {"mount_path", "csr_path", "policy_name"},
    ),
    (ClusterAuthMount, AUTH, {"mount_path", "role_name"}),
    (ClusterJwtAuthMount, JWT_AUTH, {"mount_path", "role_name"}),
    (
        ClusterCa,
        {**CLUSTER_CA, "root_certificate_pem": ROOT_OF_CAS.certificate_pem},
        {"mount_path", "ca_path", "certificate_pem", "issuer_id"},
    ),
    (
        VaultAdministrator,
        {"signing_mount_paths": ["pki"], "clusters": []},
        {"username", "password", "policy_name", "mount_path"},
    ),
    (AgentRbac, {}, {"reviewer_jwt", "istiod_service_accounts"}),
    (
        AgentRelease,
        {"chart_kind": "platform", "chart_version": "2.5.13"},
        {"istiod_service_account"},
    ),
    (RootTrustPolicy, ORDINARY, {"policy_id"}),
    (IstiodAgent, AGENT, {"trust_digest", "manifest"}),
    (
        ClusterTrust,
        CLUSTER_TRUST,
        {
            "auth_mount_path",
            "intermediate_mount_path",
            "role_name",
            "policy_name",
            "istiod_manifests",
        },
    ),
]

PUBLIC_NAMES = {
    "AdministeredCluster",
    "AgentPermissions",
    "AgentRbac",
    "AgentRbacArgs",
    "AgentVault",
    "AgentRelease",
    "AgentReleaseArgs",
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
    "IntermediatePki",
    "IntermediatePkiArgs",
    "ExternalRootPki",
    "ExternalRootPkiArgs",
    "GcpCkmsArgs",
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
}


def test_the_public_names_are_these() -> None:
    assert set(mesh_trust.__all__) == PUBLIC_NAMES


@pytest.fixture
def registered_outputs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    """Calls of `register_outputs`, which the mocked engine would ignore."""
    calls: list[tuple[Any, dict[str, Any]]] = []

    def spy(self: pulumi.ComponentResource, outputs: dict[str, Any]) -> None:
        calls.append((self, outputs))

    monkeypatch.setattr(pulumi.ComponentResource, "register_outputs", spy)
    return calls


# Types that make something new in a mount, however often, and never take another one's place.
OVERWRITE_NOTHING = {
    "vault:pkiSecret/secretBackendConfigCa:SecretBackendConfigCa",
    "vault:pkiSecret/secretBackendIntermediateCertRequest:SecretBackendIntermediateCertRequest",
    "vault:pkiSecret/secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned",
    "vault:pkiSecret/secretBackendIssuer:SecretBackendIssuer",
    "vault:pkiSecret/secretBackendRootCert:SecretBackendRootCert",
    "vault:pkiSecret/secretBackendRootSignIntermediate:SecretBackendRootSignIntermediate",
}


@pytest.fixture
def looked_for(monkeypatch: pytest.MonkeyPatch) -> list[pulumi.Resource]:
    """What is looked for before it is made."""
    resources: list[pulumi.Resource] = []
    monkeypatch.setattr(_Run, "watch", lambda _, resource, __: resources.append(resource))
    return resources


@pytest.mark.parametrize(
    ("component", "args", "outputs"), COMPONENTS, ids=[entry[0].__name__ for entry in COMPONENTS]
)
def test_each_component_registers_its_documented_outputs_once(
    recorder: Recorder,
    registered_outputs: list[tuple[Any, dict[str, Any]]],
    looked_for: list[pulumi.Resource],
    component: Callable[..., pulumi.ComponentResource],
    args: Any,
    outputs: set[str],
) -> None:
    recorder.computed["kubernetes:core/v1:Secret"] = {"data": {"token": "YQ=="}}
    recorder.answers["vault:pkiSecret/getBackendIssuers:getBackendIssuers"] = lambda asked: {
        **asked,
        "keys": ["id"],
    }
    recorder.answers["vault:pkiSecret/getBackendIssuer:getBackendIssuer"] = lambda asked: {
        **asked,
        "certificate": (ROOT_OF_CAS if asked["backend"] == "pki_east" else ROOT).certificate_pem,
        "issuerId": "id",
        "keyId": "key",
    }
    recorder.answers["vault:generic/getSecret:getSecret"] = lambda asked: {
        **asked,
        "data": {"default_lease_ttl": "31536000", "max_lease_ttl": "31536000"},
    }
    recorder.computed["tls:index/selfSignedCert:SelfSignedCert"] = {"certPem": ROOT.certificate_pem}
    recorder.computed["vault:index/mount:Mount"] = {"accessor": "accessor"}
    recorder.computed[REQUEST] = {"csr": "csr"}
    recorder.computed[SIGNED] = {"certificate": ROOT_OF_CAS.certificate_pem, "caChains": []}
    recorder.computed["random:index/randomPassword:RandomPassword"] = {"result": "password"}
    created: pulumi.ComponentResource | None = None

    def program() -> pulumi.Output[None]:
        nonlocal created
        created = component("name", args)
        return pulumi.Output.from_input(None)

    run(program)
    assert created is not None
    own = [registered for owner, registered in registered_outputs if owner is created]
    assert [set(registered) for registered in own] == [outputs]
    assert set(inspect.get_annotations(type(created))) == outputs
    assert registered_outputs[-1][0] is created
    assert created.pulumi_resource_type == f"mesh-trust:index:{component.__name__}"
    in_vault = {token for token in recorder.types() if token.startswith("vault:")}
    looked = {each.pulumi_resource_type for each in looked_for}
    if component is AgentRelease:
        assert looked == {"kubernetes:helm.sh/v3:Release"}
    assert in_vault - OVERWRITE_NOTHING == {token for token in looked if token.startswith("vault:")}
