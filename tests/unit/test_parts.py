"""What the parts of a cluster's trust refuse when they are used on their own."""

from typing import Any

import pytest

from components import (
    AgentRbac,
    ClusterAuthMount,
    ClusterAuthMountArgs,
    IntermediatePki,
    InvalidInputError,
    RootTrustPolicy,
    RootTrustPolicyArgs,
)
from components.root_trust_policy import apply_to_meshes

from .conftest import Recorder

AUTH: ClusterAuthMountArgs = {
    "cluster": "east",
    "kubernetes_host": "https://10.0.0.1:6443",
    "kubernetes_ca_certificate": "ca",
    "token_reviewer_jwt": "jwt",
    "policies": ["policy"],
    "service_account_names": ["istiod"],
    "service_account_namespaces": ["istio-system"],
}

TRUST: RootTrustPolicyArgs = {
    "cluster": "east",
    "vault_address": "https://vault:8200",
    "ca_path": "pki/root/sign-intermediate",
    "csr_path": "pki_int_east/intermediate/generate/exported",
    "auth_mount_path": "kube-east-mesh-auth",
    "role_name": "role",
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cluster": "East"}, "cluster"),
        ({"kubernetes_host": "10.0.0.1"}, "kubernetes_host"),
        ({"policies": []}, "policies"),
        ({"service_account_names": []}, "service_account_names"),
        ({"service_account_names": ["*"]}, "service_account_names"),
        ({"service_account_namespaces": []}, "service_account_namespaces"),
        ({"service_account_namespaces": ["*"]}, "service_account_namespaces"),
        ({"token_ttl_seconds": 0}, "token_ttl_seconds"),
        ({"mount_path": "a//b"}, "mount_path"),
        ({"role_name": "a b"}, "role_name"),
    ],
)
def test_an_auth_mount_refuses(recorder: Recorder, change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        ClusterAuthMount("auth", {**AUTH, **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cluster": "a/b"}, "cluster"),
        ({"mount_path": "pki_int_*"}, "mount_path"),
        ({"policy_name": ""}, "policy_name"),
        ({"ca_path": "pki/*"}, "ca_path"),
    ],
)
def test_an_intermediate_mount_refuses(
    recorder: Recorder, change: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        IntermediatePki("pki", {"cluster": "east", "ca_path": "pki/x", **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []


@pytest.mark.parametrize(
    "field", ["istio_namespace", "istiod_service_account", "reviewer_name", "agent_role_name"]
)
def test_the_agents_permissions_refuse(recorder: Recorder, field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        AgentRbac("rbac", {field: "*"})  # type: ignore[misc]
    assert recorder.registered == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cluster": "a_b"}, "cluster"),
        ({"vault_address": "vault"}, "vault_address"),
        ({"namespace": "*"}, "namespace"),
        ({"apply_to_meshes": []}, "apply_to_meshes"),
        ({"apply_to_meshes": [{}]}, "apply_to_meshes.cluster_labels"),
        (
            {"apply_to_meshes": [{"mesh_labels": {"app": "istiod"}}]},
            "apply_to_meshes.cluster_labels",
        ),
        ({"apply_to_meshes": [{"cluster_labels": {}}]}, "apply_to_meshes.cluster_labels"),
        (
            {"apply_to_meshes": [{"cluster_labels": {"a": "b"}, "namespace": "*"}]},
            "apply_to_meshes.namespace",
        ),
    ],
)
def test_a_policy_for_every_mesh_is_refused(
    recorder: Recorder, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        RootTrustPolicy("trust", {**TRUST, **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []


def test_the_selectors_pass() -> None:
    assert apply_to_meshes([{"cluster_labels": {"a": "b"}, "namespace": "istio"}]) == [
        {"istio": {"clusterSelector": {"a": "b"}, "namespace": "istio"}}
    ]
