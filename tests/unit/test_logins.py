"""The ways in which a cluster's agent can log in, as resources."""

import base64
from typing import Any

import pulumi
import pytest

from mesh_trust import AgentRbac, ClusterTrust, InvalidInputError

from .conftest import Recorder, make_certificate, run, secret
from .test_cluster_trust import (
    ACCOUNT,
    ARGS,
    AUTH,
    AUTH_CONFIG,
    AUTH_ROLE,
    BINDING,
    ROOT_TRUST_POLICY,
    TOKEN,
    register,
)
from .test_parts import KEY

JWT_BACKEND = "vault:jwt/authBackend:AuthBackend"
JWT_ROLE = "vault:jwt/authBackendRole:AuthBackendRole"
ISSUER = "https://kubernetes.default.svc.cluster.local"


def reviewers(recorder: Recorder) -> list[tuple[str, str]]:
    """Name and account of every binding that lets an account review tokens."""
    return [
        (binding["metadata"]["name"], binding["subjects"][0]["name"])
        for binding in recorder.of_type(BINDING).values()
        if binding["roleRef"]["name"] == "system:auth-delegator"
    ]


def test_the_client_reviews_its_own_token(recorder: Recorder) -> None:
    register(recorder, login={"reviewer_mode": "client"}, istio_revisions=["1-20"])

    assert recorder.of_type(AUTH_CONFIG)["east-auth-config"] == {
        "backend": "kube-east-mesh-auth",
        "kubernetesHost": "https://10.0.0.1:6443",
        "kubernetesCaCert": "the cluster's CA",
        # Without it, Vault in a pod would use that pod's own token.
        "disableLocalCaJwt": True,
    }
    assert reviewers(recorder) == [("vault-token-reviewer-client", "istiod-1-20")]
    assert recorder.of_type(ACCOUNT) == {}
    assert recorder.of_type(TOKEN) == {}
    role = recorder.of_type(AUTH_ROLE)["east-auth-role"]
    assert role["boundServiceAccountNames"] == ["istiod-1-20"]


def test_every_client_reviews_its_own_token(recorder: Recorder) -> None:
    register(
        recorder, login={"reviewer_mode": "client"}, istio_revisions=["default", "1-20", "1-21"]
    )

    binding = recorder.of_type(BINDING)["east-rbac-client-binding"]
    accounts = [subject["name"] for subject in binding["subjects"]]
    assert accounts == ["istiod", "istiod-1-20", "istiod-1-21"]
    role = recorder.of_type(AUTH_ROLE)["east-auth-role"]
    assert role["boundServiceAccountNames"] == accounts


def test_vault_has_the_keys_and_asks_nobody(recorder: Recorder) -> None:
    outputs = register(recorder, login={"reviewer_mode": "jwt", "issuer_keys": [f"{KEY}\n"]})

    assert outputs[0] == "jwt-east-mesh-auth"
    assert recorder.of_type(JWT_BACKEND)["east-auth-mount"] == {
        "path": "jwt-east-mesh-auth",
        "description": "Logins of istiod agents in east",
        "boundIssuer": ISSUER,
        "jwtSupportedAlgs": ["RS256", "ES256", "ES384", "ES512"],
        "jwtValidationPubkeys": [KEY],
    }
    assert recorder.of_type(JWT_ROLE)["east-auth-role"] == {
        "backend": "jwt-east-mesh-auth",
        "roleName": "gen-int-ca-istio-east-mesh",
        "roleType": "jwt",
        "userClaim": "sub",
        "boundAudiences": [ISSUER],
        "boundClaims": {"sub": "system:serviceaccount:istio-system:istiod"},
        "tokenPolicies": ["gen-int-ca-istio-east-mesh"],
        "tokenTtl": 3600,
        "tokenMaxTtl": 3600,
    }
    assert recorder.of_type(AUTH) == {}
    assert reviewers(recorder) == []
    policy = recorder.of_type(ROOT_TRUST_POLICY)["east-trust-policy"]
    login = policy["spec"]["config"]["agentCa"]["vault"]["kubernetesAuth"]
    assert login["mountPath"] == "/v1/auth/jwt-east-mesh-auth"


@pytest.mark.parametrize(
    ("login", "asked", "issuer"),
    [
        (
            {"jwks_url": "https://api/keys", "issuer_ca_certificate": "ca"},
            {"jwksUrl": "https://api/keys", "jwksCaPem": "ca"},
            ISSUER,
        ),
        (
            {"oidc_discovery_url": "https://oidc/id/1"},
            {"oidcDiscoveryUrl": "https://oidc/id/1"},
            "https://oidc/id/1",
        ),
        (
            {"oidc_discovery_url": "https://oidc", "issuer": "https://other"},
            {"oidcDiscoveryUrl": "https://oidc"},
            "https://other",
        ),
    ],
)
def test_vault_fetches_the_keys(
    recorder: Recorder, login: dict[str, Any], asked: dict[str, str], issuer: str
) -> None:
    register(recorder, login={"reviewer_mode": "jwt", **login})

    backend = recorder.of_type(JWT_BACKEND)["east-auth-mount"]
    assert backend.items() >= {**asked, "boundIssuer": issuer}.items()
    role = recorder.of_type(JWT_ROLE)["east-auth-role"]
    assert role["boundAudiences"] == [issuer]


@pytest.mark.parametrize("mode", ["token", "jwt"])
def test_what_every_login_can_be_given(recorder: Recorder, mode: str) -> None:
    keys = {"issuer_keys": [KEY]} if mode == "jwt" else {}
    register(
        recorder,
        login={
            "reviewer_mode": mode,
            "audience": "vault",
            "token_ttl_seconds": 2_592_000,
            "token_no_default_policy": True,
            **keys,
        },
    )

    kind = JWT_ROLE if mode == "jwt" else AUTH_ROLE
    role = recorder.of_type(kind)["east-auth-role"]
    assert (role["tokenTtl"], role["tokenMaxTtl"]) == (2_592_000, 2_592_000)
    assert role["tokenNoDefaultPolicy"] is True
    assert role["boundAudiences" if mode == "jwt" else "audience"] == (
        ["vault"] if mode == "jwt" else "vault"
    )


def present_secret(recorder: Recorder, account: str | None) -> Any:
    annotations = {"kubernetes.io/service-account.name": account} if account else None
    recorder.computed[TOKEN] = {
        "metadata": {"annotations": annotations},
        "data": {"token": base64.b64encode(b"present.jwt").decode()},
    }

    def program() -> pulumi.Output[Any]:
        rbac = AgentRbac(
            "rbac", {"reviewer_name": "reviewer", "reviewer_token_secret": "reviewer-token-x7"}
        )
        return pulumi.Output.unsecret(rbac.reviewer_jwt)

    return run(program)


def test_a_reviewer_that_is_there_is_used(recorder: Recorder) -> None:
    assert present_secret(recorder, "reviewer") == "present.jwt"

    assert recorder.of_type(ACCOUNT) == {}
    (read,) = [each for each in recorder.registered if each.typ == TOKEN]
    assert read.resource_id == "istio-system/reviewer-token-x7"
    assert reviewers(recorder) == [("vault-token-reviewer-client", "x")] or reviewers(recorder) == [
        ("reviewer", "reviewer")
    ]


@pytest.mark.parametrize("account", ["another", None])
def test_the_token_of_another_account_is_refused(recorder: Recorder, account: str | None) -> None:
    with pytest.raises(pulumi.RunError, match=r"is the token of (another|no service account)"):
        present_secret(recorder, account)


def automatic_token(recorder: Recorder, secrets: Any, owner: str = "reviewer") -> Any:
    """What is read of a Secret that the cluster has made for the reviewer's account."""
    recorder.computed[ACCOUNT] = {"secrets": secrets}
    recorder.computed[TOKEN] = {
        "metadata": {"annotations": {"kubernetes.io/service-account.name": owner}},
        "data": {"token": base64.b64encode(b"automatic.jwt").decode()},
    }

    def program() -> pulumi.Output[Any]:
        rbac = AgentRbac("rbac", {"reviewer_name": "reviewer", "reviewer_token": "automatic"})
        return pulumi.Output.unsecret(rbac.reviewer_jwt)

    return run(program)


def test_the_token_that_an_old_cluster_makes_is_read(recorder: Recorder) -> None:
    token = automatic_token(recorder, [{"name": "reviewer-token-x7f9z"}, {"name": "other"}])

    assert token == "automatic.jwt"
    (account,) = recorder.of_type(ACCOUNT).values()
    assert account["metadata"] == {"name": "reviewer", "namespace": "istio-system"}
    (read,) = [each for each in recorder.registered if each.typ == TOKEN]
    assert read.resource_id == "istio-system/reviewer-token-x7f9z"
    assert reviewers(recorder) == [("reviewer", "reviewer")]


@pytest.mark.parametrize("secrets", [None, []])
def test_a_newer_cluster_makes_no_token(recorder: Recorder, secrets: Any) -> None:
    with pytest.raises(
        pulumi.RunError, match=r"^the cluster has made no token Secret for service account "
    ) as refused:
        automatic_token(recorder, secrets)
    assert "istio-system/reviewer, as Kubernetes 1.24 and newer" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_automatic_token_of_another_account_is_refused(recorder: Recorder) -> None:
    with pytest.raises(pulumi.RunError, match="is the token of another, and reviewer_name is"):
        automatic_token(recorder, [{"name": "another-token"}], owner="another")


@pytest.mark.parametrize(
    ("login", "field"),
    [
        ({"reviewer_mode": "none"}, "reviewer_mode"),
        ({"reviewer_mode": "jwt"}, "issuer_keys"),
        ({"reviewer_mode": "jwt", "issuer_keys": [KEY], "reviewer_name": "x"}, "reviewer_name"),
        ({"issuer_keys": [KEY]}, "issuer_keys"),
        ({"reviewer_mode": "client", "issuer": ISSUER}, "issuer"),
        ({"reviewer_mode": "client", "reviewer_token_secret": "x"}, "reviewer_token_secret"),
        ({"reviewer_mode": "client", "reviewer_token": "automatic"}, "reviewer_token"),
        (
            {
                "reviewer_mode": "jwt",
                "issuer_keys": [KEY],
                "reviewer_token": "created",
            },
            "reviewer_token",
        ),
        ({"reviewer_token": "made"}, "reviewer_token"),
        ({"reviewer_token": "automatic", "reviewer_token_secret": "x"}, "reviewer_token"),
        ({"reviewer_name": "*"}, "reviewer_name"),
        ({"audience": "two words"}, "audience"),
        ({"token_ttl_seconds": 10**7}, "token_ttl_seconds"),
    ],
)
def test_a_login_that_cannot_be_is_refused_before_anything_is_registered(
    recorder: Recorder, login: Any, field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        ClusterTrust("east", {**ARGS, "login": login})
    assert recorder.registered == []


def test_the_reviewers_token_is_a_secret(recorder: Recorder) -> None:
    register(recorder, login={"reviewer_mode": "token"}, vault_ca_certificate=make_certificate("v"))

    config = recorder.of_type(AUTH_CONFIG)["east-auth-config"]
    assert config["tokenReviewerJwt"] == secret("a.jwt")
