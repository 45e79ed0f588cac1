"""What the parts of a cluster's trust refuse when they are used on their own."""

from typing import Any

import pytest

from mesh_trust import (
    AgentRbac,
    ClusterAuthMount,
    ClusterAuthMountArgs,
    ClusterCa,
    ClusterCaArgs,
    ClusterJwtAuthMount,
    ClusterJwtAuthMountArgs,
    IntermediatePki,
    InvalidInputError,
    VaultAdministrator,
)
from tests.token_issuer import TokenIssuer

from .conftest import Recorder, make_certificate

AUTH: ClusterAuthMountArgs = {
    "cluster": "east",
    "kubernetes_host": "https://10.0.0.1:6443",
    "kubernetes_ca_certificate": "ca",
    "token_reviewer_jwt": "jwt",
    "policies": ["policy"],
    "service_account_names": ["istiod"],
    "service_account_namespaces": ["istio-system"],
}

KEY = TokenIssuer().public_key_pem

JWT_AUTH: ClusterJwtAuthMountArgs = {
    "cluster": "east",
    "issuer_keys": [KEY],
    "policies": ["policy"],
    "service_account_names": ["istiod"],
    "service_account_namespaces": ["istio-system"],
}

CLUSTER_CA: ClusterCaArgs = {
    "cluster": "east",
    "root_mount_path": "pki",
    "root_issuer_id": "issuer",
    "root_certificate_pem": make_certificate("root", path_length=2),
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
        ({"token_ttl_seconds": 2_764_801}, "token_ttl_seconds"),
        ({"audience": "two words"}, "audience"),
        ({"reviewer_mode": "jwt"}, "reviewer_mode"),
        ({"reviewer_mode": "client"}, "token_reviewer_jwt"),
        ({"token_reviewer_jwt": None}, "token_reviewer_jwt"),
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
        ({"cluster": "East"}, "cluster"),
        ({"issuer_keys": []}, "issuer_keys"),
        ({"issuer_keys": None}, "issuer_keys"),
        ({"issuer_keys": ["no key"]}, "issuer_keys"),
        ({"jwks_url": "https://keys"}, "jwks_url"),
        ({"issuer_keys": None, "jwks_url": "http://keys"}, "jwks_url"),
        ({"issuer_keys": None, "oidc_discovery_url": "issuer"}, "oidc_discovery_url"),
        ({"issuer_keys": None, "oidc_discovery_url": "https://i?a=b"}, "oidc_discovery_url"),
        ({"issuer_ca_certificate": "ca"}, "issuer_ca_certificate"),
        ({"issuer": "two words"}, "issuer"),
        ({"audience": ""}, "audience"),
        ({"service_account_names": ["*"]}, "service_account_names"),
        ({"token_ttl_seconds": 59}, "token_ttl_seconds"),
        ({"mount_path": "jwt/*"}, "mount_path"),
    ],
)
def test_a_jwt_auth_mount_refuses(recorder: Recorder, change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        ClusterJwtAuthMount("auth", {**JWT_AUTH, **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cluster": "East"}, "cluster"),
        ({"cluster": "e" * 60}, "cluster"),
        ({"mount_path": "pki_*"}, "mount_path"),
        ({"lifetime_days": 365}, "lifetime_days"),
        ({"intermediate_lifetime_days": 0}, "intermediate_lifetime_days"),
        ({"generation": 0}, "generation"),
        ({"key_algorithm": "RSA-2048"}, "key_algorithm"),
        ({"root_certificate_pem": make_certificate("r", path_length=1)}, "root_certificate_pem"),
        ({"root_certificate_pem": make_certificate("no CA")}, "root_certificate_pem"),
    ],
)
def test_a_clusters_own_ca_refuses(recorder: Recorder, change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        ClusterCa("ca", {**CLUSTER_CA, **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "root/x"}, "username"),
        ({"policy_name": "*"}, "policy_name"),
        ({"mount_path": "a b"}, "mount_path"),
        ({"token_ttl_seconds": 1}, "token_ttl_seconds"),
        ({"password_generation": 0}, "password_generation"),
    ],
)
def test_an_administrator_refuses(recorder: Recorder, change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        VaultAdministrator("a", {"signing_mount_paths": [], "clusters": [], **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cluster": "a/b"}, "cluster"),
        ({"mount_path": "pki_int_*"}, "mount_path"),
        ({"policy_name": ""}, "policy_name"),
        ({"ca_path": "pki/*"}, "ca_path"),
        ({"policy": "any"}, "policy"),
        ({"policy": "guide", "ca_path": "pki/elsewhere"}, "ca_path"),
        ({"policy": "guide", "denied_parameters": ["skid"]}, "denied_parameters"),
        ({"denied_parameters": ["*"]}, "denied_parameters"),
        ({"denied_parameters": ['" = [] }']}, "denied_parameters"),
        ({"denied_parameters": "skid"}, "denied_parameters"),
    ],
)
def test_an_intermediate_mount_refuses(
    recorder: Recorder, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        IntermediatePki("pki", {"cluster": "east", "ca_path": "pki/x", **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []


@pytest.mark.parametrize(
    "field",
    [
        "istio_namespace",
        "istiod_service_account",
        "reviewer_name",
        "agent_role_name",
        "reviewer_mode",
        "reviewer_token",
        "reviewer_token_secret",
        "istio_revisions",
        "permitted_elsewhere",
    ],
)
def test_the_agents_permissions_refuse(recorder: Recorder, field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        AgentRbac("rbac", {field: "*"})  # type: ignore[misc]
    assert recorder.registered == []


@pytest.mark.parametrize("mode", ["client", "jwt"])
def test_a_token_secret_is_for_a_reviewer_only(recorder: Recorder, mode: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^reviewer_token_secret: .*reviewer_mode {mode}"):
        AgentRbac("rbac", {"reviewer_mode": mode, "reviewer_token_secret": "token-1"})
    assert recorder.registered == []
