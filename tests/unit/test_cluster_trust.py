import base64
from typing import Any

import pulumi
import pytest

from mesh_trust import ClusterTrust, ClusterTrustArgs, InvalidInputError
from mesh_trust.rbac_rules import AGENT_RULES

from .conftest import Recorder, run, secret

MOUNT = "vault:index/mount:Mount"
POLICY = "vault:index/policy:Policy"
AUTH = "vault:index/authBackend:AuthBackend"
AUTH_CONFIG = "vault:kubernetes/authBackendConfig:AuthBackendConfig"
AUTH_ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole"
TOKEN = "kubernetes:core/v1:Secret"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
ROOT_TRUST_POLICY = "kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy"

ARGS: ClusterTrustArgs = {
    "cluster": "east",
    "kubernetes_host": "https://10.0.0.1:6443",
    "kubernetes_ca_certificate": "the cluster's CA",
    "ca_path": "pki/root/sign-intermediate",
    "vault_address": "https://vault:8200",
    "vault_ca_certificate": "Vault's CA",
}


def register(recorder: Recorder, **changes: Any) -> list[Any]:
    recorder.computed[TOKEN] = {"data": {"token": base64.b64encode(b"a.jwt").decode()}}

    def program() -> pulumi.Output[Any]:
        trust = ClusterTrust("east", {**ARGS, **changes})  # type: ignore[typeddict-item]
        return pulumi.Output.all(
            trust.auth_mount_path,
            trust.intermediate_mount_path,
            trust.role_name,
            trust.policy_name,
        )

    outputs: list[Any] = run(program)
    return outputs


def test_what_is_made_for_a_cluster(recorder: Recorder) -> None:
    assert register(recorder) == [
        "kube-east-mesh-auth",
        "pki_int_east",
        "gen-int-ca-istio-east-mesh",
        "gen-int-ca-istio-east-mesh",
    ]
    made = [kind for kind in recorder.types() if not kind.startswith("mesh-trust:")]
    expected = [ACCOUNT, AUTH, AUTH_CONFIG, AUTH_ROLE, BINDING, BINDING, MOUNT, POLICY, ROLE]
    expected += [ROOT_TRUST_POLICY, TOKEN]
    assert sorted(made) == sorted(expected)


def test_roots_that_are_trusted_are_secrets_beside_the_policy(recorder: Recorder) -> None:
    register(
        recorder,
        trusted_roots={"next": "certificate of next", "first": "certificate of first"},
        trust_policy={
            "namespace": "policies",
            "passive_certificate_authorities": [{"generated": {}}],
        },
    )
    secrets = recorder.of_type(TOKEN)
    for generation in ("next", "first"):
        inputs = secrets[f"east-root-{generation}"]
        assert inputs["metadata"] == {
            "name": f"mesh-trust-east-root-{generation}",
            "namespace": "policies",
        }
        content = base64.b64encode(f"certificate of {generation}".encode()).decode()
        assert inputs["data"] == secret({"root-cert.pem": content})
    [trust] = recorder.of_type(ROOT_TRUST_POLICY).values()
    assert trust["spec"]["config"]["passiveCertificateAuthorities"] == [
        {"secretRef": {"name": "mesh-trust-east-root-next", "namespace": "policies"}},
        {"secretRef": {"name": "mesh-trust-east-root-first", "namespace": "policies"}},
        {"generated": {}},
    ]


def test_names_of_ones_own_reach_every_part(recorder: Recorder) -> None:
    names = {
        "auth_mount_path": "blue-east",
        "intermediate_mount_path": "blue/pki_int_east",
        "role_name": "blue-role",
        "policy_name": "blue-policy",
    }
    assert register(recorder, **names, vault_namespace="team") == list(names.values())
    [role] = recorder.of_type(AUTH_ROLE).values()
    assert (role["backend"], role["roleName"]) == ("blue-east", "blue-role")
    assert role["tokenPolicies"] == ["blue-policy"]
    [policy] = recorder.of_type(POLICY).values()
    assert policy["name"] == "blue-policy"
    assert 'path "blue/pki_int_east/intermediate/generate/exported"' in policy["policy"]
    [trust] = recorder.of_type(ROOT_TRUST_POLICY).values()
    vault = trust["spec"]["config"]["agentCa"]["vault"]
    assert vault["csrPath"] == "blue/pki_int_east/intermediate/generate/exported"
    assert vault["kubernetesAuth"] == {"mountPath": "/v1/auth/blue-east", "role": "blue-role"}
    assert vault["namespace"] == "team"


def test_the_auth_mount(recorder: Recorder) -> None:
    register(recorder)

    mount = recorder.of_type(AUTH)["east-auth-mount"]
    assert (mount["path"], mount["type"]) == ("kube-east-mesh-auth", "kubernetes")
    assert recorder.of_type(AUTH_CONFIG)["east-auth-config"] == {
        "backend": "kube-east-mesh-auth",
        "kubernetesHost": "https://10.0.0.1:6443",
        "kubernetesCaCert": "the cluster's CA",
        "tokenReviewerJwt": secret("a.jwt"),
        "disableLocalCaJwt": True,
    }
    assert recorder.of_type(AUTH_ROLE)["east-auth-role"] == {
        "backend": "kube-east-mesh-auth",
        "roleName": "gen-int-ca-istio-east-mesh",
        "boundServiceAccountNames": ["istiod"],
        "boundServiceAccountNamespaces": ["istio-system"],
        "tokenPolicies": ["gen-int-ca-istio-east-mesh"],
        "tokenTtl": 3600,
        "tokenMaxTtl": 3600,
    }


def test_one_service_account_for_role_and_rbac(recorder: Recorder) -> None:
    register(recorder, istio_revisions=["1-20"], istio_namespace="istio")

    role = recorder.of_type(AUTH_ROLE)["east-auth-role"]
    assert role["boundServiceAccountNames"] == ["istiod-1-20"]
    assert role["boundServiceAccountNamespaces"] == ["istio"]
    binding = recorder.of_type(BINDING)["east-rbac-agent-binding"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "istiod-1-20", "namespace": "istio"}
    ]


def test_each_revision_has_an_account(recorder: Recorder) -> None:
    register(recorder, istio_revisions=["default", "1-20"], istio_namespace="istio")

    role = recorder.of_type(AUTH_ROLE)["east-auth-role"]
    assert role["boundServiceAccountNames"] == ["istiod", "istiod-1-20"]
    assert role["boundServiceAccountNamespaces"] == ["istio"]
    binding = recorder.of_type(BINDING)["east-rbac-agent-binding"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "istiod", "namespace": "istio"},
        {"kind": "ServiceAccount", "name": "istiod-1-20", "namespace": "istio"},
    ]
    assert len(recorder.of_type(BINDING)) == 2


# As it was when a cluster had one revision: another name here would be another object there.
WITH_ONE_REVISION = {
    (ACCOUNT, "east-rbac-reviewer"),
    (AUTH, "east-auth-mount"),
    (AUTH_CONFIG, "east-auth-config"),
    (AUTH_ROLE, "east-auth-role"),
    (BINDING, "east-rbac-agent-binding"),
    (BINDING, "east-rbac-reviewer-binding"),
    (MOUNT, "east-intermediate-mount"),
    (POLICY, "east-intermediate-policy"),
    (ROLE, "east-rbac-agent-role"),
    (ROOT_TRUST_POLICY, "east-trust-policy"),
    (TOKEN, "east-rbac-reviewer-token"),
}


@pytest.mark.parametrize("revisions", [{}, {"istio_revisions": ["default"]}])
def test_with_one_revision_all_is_as_it_was(recorder: Recorder, revisions: dict[str, Any]) -> None:
    register(recorder, **revisions)

    made = {(each.typ, each.name): each.inputs for each in recorder.registered}
    own = {key for key in made if not key[0].startswith("mesh-trust:")}
    assert own == WITH_ONE_REVISION
    assert made[AUTH_ROLE, "east-auth-role"]["boundServiceAccountNames"] == ["istiod"]
    subject = {"kind": "ServiceAccount", "name": "istiod", "namespace": "istio-system"}
    assert made[BINDING, "east-rbac-agent-binding"] == {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "gloo-mesh-istiod-agent"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "gloo-mesh-istiod-agent",
        },
        "subjects": [subject],
    }


def test_an_account_of_ones_own_goes_before_the_revisions(recorder: Recorder) -> None:
    register(recorder, istio_revisions=["1-20"], istiod_service_account="istiod-service-account")

    role = recorder.of_type(AUTH_ROLE)["east-auth-role"]
    assert role["boundServiceAccountNames"] == ["istiod-service-account"]
    binding = recorder.of_type(BINDING)["east-rbac-agent-binding"]
    assert binding["subjects"][0]["name"] == "istiod-service-account"


def test_a_missing_argument_is_no_half_made_cluster(recorder: Recorder) -> None:
    for missing in ("ca_path", "vault_address", "kubernetes_host", "kubernetes_ca_certificate"):
        given = {key: value for key, value in ARGS.items() if key != missing}
        with pytest.raises((KeyError, InvalidInputError), match=missing):
            ClusterTrust("east", given)  # type: ignore[arg-type]
    assert recorder.registered == []


@pytest.mark.parametrize("address", ["vault", "https://vault/v1", "ftp://vault"])
def test_a_wrong_address_of_vault_is_no_half_made_cluster(recorder: Recorder, address: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^vault_address: "):
        ClusterTrust("east", {**ARGS, "vault_address": address})
    assert recorder.registered == []


def test_the_reviewer_may_review_tokens_and_nothing_else(recorder: Recorder) -> None:
    register(recorder)

    account = recorder.of_type(ACCOUNT)["east-rbac-reviewer"]
    assert account["metadata"] == {"name": "vault-token-reviewer", "namespace": "istio-system"}
    bindings = recorder.of_type(BINDING)
    of_reviewer = [
        binding["roleRef"]["name"]
        for binding in bindings.values()
        if binding["subjects"][0]["name"] == "vault-token-reviewer"
    ]
    assert of_reviewer == ["system:auth-delegator"]
    token = recorder.of_type(TOKEN)["east-rbac-reviewer-token"]
    assert token["type"] == "kubernetes.io/service-account-token"
    assert token["metadata"]["annotations"] == {
        "kubernetes.io/service-account.name": "vault-token-reviewer"
    }


def test_the_agents_rules_are_listed_without_a_wildcard(recorder: Recorder) -> None:
    register(recorder)

    rules = recorder.of_type(ROLE)["east-rbac-agent-role"]["rules"]
    assert len(rules) == len(AGENT_RULES)
    for rule in rules:
        for entries in (rule["apiGroups"], rule["resources"], rule["verbs"]):
            assert entries
            assert not any("*" in entry for entry in entries)


def test_gloos_policy(recorder: Recorder) -> None:
    register(recorder)

    policy = recorder.of_type(ROOT_TRUST_POLICY)["east-trust-policy"]
    assert policy["metadata"] == {"name": "east", "namespace": "gloo-mesh"}
    assert policy["spec"]["applyToMeshes"] == [
        {
            "istio": {
                "clusterSelector": {"cluster": "east"},
                "namespace": "istio-system",
                "selector": {"app": "istiod"},
            }
        }
    ]
    assert policy["spec"]["config"] == {
        "agentCa": {
            "vault": {
                "server": "https://vault:8200",
                "caPath": "pki/root/sign-intermediate",
                "csrPath": "pki_int_east/intermediate/generate/exported",
                "caBundle": base64.b64encode(b"Vault's CA").decode(),
                "kubernetesAuth": {
                    "mountPath": "/v1/auth/kube-east-mesh-auth",
                    "role": "gen-int-ca-istio-east-mesh",
                },
            }
        },
        "autoRestartPods": False,
    }


def test_the_mesh_is_selected_where_it_is(recorder: Recorder) -> None:
    register(recorder, cluster_labels={"region": "eu", "env": "prod"}, istio_namespace="istio")

    (mesh,) = recorder.of_type(ROOT_TRUST_POLICY)["east-trust-policy"]["spec"]["applyToMeshes"]
    assert mesh["istio"]["clusterSelector"] == {"region": "eu", "env": "prod"}
    assert mesh["istio"]["namespace"] == "istio"


def asked_for(recorder: Recorder) -> Any:
    spec = recorder.of_type(ROOT_TRUST_POLICY)["east-trust-policy"]["spec"]
    return spec["config"].get("intermediateCertOptions")


def test_the_mesh_asks_for_what_the_root_gives(recorder: Recorder) -> None:
    register(recorder, intermediate_lifetime_days=90)
    assert asked_for(recorder) == {"ttlDays": 90}


def test_gloos_own_lifetime_is_not_asked_for(recorder: Recorder) -> None:
    register(recorder, intermediate_lifetime_days=365)
    assert asked_for(recorder) is None


def test_without_a_ca_of_its_own_vault_is_checked_against_the_systems(recorder: Recorder) -> None:
    register(recorder, vault_ca_certificate=None)

    spec = recorder.of_type(ROOT_TRUST_POLICY)["east-trust-policy"]["spec"]
    assert "caBundle" not in spec["config"]["agentCa"]["vault"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cluster": "ea_st"}, "cluster"),
        ({"kubernetes_host": "http://10.0.0.1"}, "kubernetes_host"),
        ({"istio_revisions": ["1.20"]}, "istio_revisions"),
        ({"istio_revisions": ["r" * 60]}, "istiod_service_account"),
        ({"istio_revisions": []}, "istio_revisions"),
        ({"istio_revisions": "default"}, "istio_revisions"),
        ({"istio_revisions": ["a", "b", "a"]}, "istio_revisions"),
        (
            {"istio_revisions": ["a", "b"], "istiod_service_account": "istiod"},
            "istiod_service_account",
        ),
        ({"istiod_service_account": "*"}, "istiod_service_account"),
        ({"istio_namespace": "*"}, "istio_namespace"),
        ({"cluster_labels": {}}, r"apply_to_meshes\[0\]\.cluster_selector"),
        ({"intermediate_lifetime_days": 0}, "intermediate_lifetime_days"),
        ({"trusted_roots": {"First": "x"}}, "trusted_roots"),
        ({"trusted_roots": ["x"]}, "trusted_roots"),
    ],
)
def test_bad_input_is_refused_before_anything_is_registered(
    recorder: Recorder, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        ClusterTrust("east", {**ARGS, **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []
