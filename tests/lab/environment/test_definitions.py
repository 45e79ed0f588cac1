"""Each Gloo resource against the real server: what it takes, and what it refuses and why."""

from http import HTTPStatus
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from lab.definitions import definitions
from tests.lab.environment.conftest import unchecked
from tests.specs import with_fields

PLURALS = {
    definition["spec"]["names"]["kind"]: definition["spec"]["names"]["plural"]
    for definition in definitions()
}

VAULT_AGENT = {
    "caPath": "pki/root/sign-intermediate",
    "csrPath": "pki_int_east/intermediate/generate/exported",
    "server": "https://vault.example.org:8200",
    "caBundle": "cm9vdA==",
    "kubernetesAuth": {"mountPath": "/v1/auth/kube-east-mesh-auth", "role": "istiod"},
}
REFERENCE = {"name": "some", "namespace": "gloo-mesh"}

GOOD: dict[str, dict[str, Any]] = {
    "RootTrustPolicy": {
        "applyToMeshes": [
            {
                "istio": {
                    "clusterSelector": {"cluster": "east"},
                    "namespace": "istio-system",
                    "selector": {"app": "istiod"},
                }
            }
        ],
        "config": {
            "agentCa": {"vault": VAULT_AGENT},
            "autoRestartPods": False,
            "intermediateCertOptions": {"ttlDays": 90, "secretRotationGracePeriodRatio": 0.1},
            "passiveCertificateAuthorities": [{"secretRef": REFERENCE}],
        },
    },
    "KubernetesCluster": {"clusterDomain": "cluster.local"},
    "Workspace": {"workloadClusters": [{"name": "*", "namespaces": [{"name": "*"}]}]},
    "Mesh": {"installation": {"cluster": "east", "podLabels": {"app": "istiod"}}},
    "IssuedCertificate": {
        "agentCa": {"vault": VAULT_AGENT},
        "hosts": ["spiffe://cluster.local/ns/istio-system/sa/istiod"],
        "meshRef": REFERENCE,
        "certOptions": {"ttlDays": 365},
    },
    "CertificateRequest": {"certificateSigningRequest": "cmVxdWVzdA=="},
    "PodBounceDirective": {
        "podsToBounce": [{"namespace": "istio-system", "labels": {"app": "istiod"}}]
    },
}

STATUS: dict[str, dict[str, Any]] = {
    "RootTrustPolicy": {"observedGeneration": 1, "state": "ACCEPTED"},
    "KubernetesCluster": {"common": {"State": {"approval": "ACCEPTED"}}},
    "Workspace": {"common": {"State": {"approval": "ACCEPTED"}}},
    "Mesh": {"observedGeneration": 1},
    "IssuedCertificate": {"observedGeneration": 1, "state": "FINISHED", "error": ""},
    "CertificateRequest": {"state": "FINISHED", "signedCertificate": "Y2VydA=="},
    "PodBounceDirective": {"state": "BOUNCING_PODS", "podsBounced": [{"bouncedPods": ["a"]}]},
}


class Gloo:
    """Creates Gloo objects in `east` without strict validation: the server alone refuses."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = client.CustomObjectsApi(api)

    def place(self, kind: str) -> tuple[str, str, str, str]:
        administered = ("RootTrustPolicy", "KubernetesCluster", "Workspace")
        group = "admin" if kind in administered else "internal"
        return f"{group}.gloo.solo.io", "v2", "gloo-mesh", PLURALS[kind]

    def body(self, kind: str, spec: object) -> dict[str, Any]:
        group, version, _, _ = self.place(kind)
        return {
            "apiVersion": f"{group}/{version}",
            "kind": kind,
            "metadata": {"name": "attempt"},
            "spec": spec,
        }

    def create(self, kind: str, spec: object, **additional: object) -> dict[str, Any]:
        body = {**self.body(kind, spec), **additional}
        answer: dict[str, Any] = unchecked(self._api).create_namespaced_custom_object(
            *self.place(kind), body, dry_run="All", field_validation="Ignore"
        )
        return answer

    def refusal(self, kind: str, spec: object, **additional: object) -> str:
        with pytest.raises(ApiException) as refused:
            self.create(kind, spec, **additional)
        assert refused.value.status == HTTPStatus.UNPROCESSABLE_ENTITY
        return str(refused.value.body)


@pytest.fixture
def gloo(east: client.ApiClient) -> Gloo:
    return Gloo(east)


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_object_is_taken_whole(gloo: Gloo, kind: str) -> None:
    assert gloo.create(kind, GOOD[kind])["spec"] == GOOD[kind]


@pytest.mark.parametrize("kind", GOOD)
def test_an_unknown_field_is_refused(gloo: Gloo, kind: str) -> None:
    assert "unknown field in spec" in gloo.refusal(kind, {**GOOD[kind], "colour": "red"})
    assert "unknown field in the object" in gloo.refusal(kind, GOOD[kind], colour="red")


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("applyToMeshes", 0), "spec.applyToMeshes[]"),
        (("applyToMeshes", 0, "istio"), "spec.applyToMeshes[].istio"),
        (("config",), "spec.config"),
        (("config", "agentCa"), "spec.config.agentCa"),
        (("config", "agentCa", "vault"), "spec.config.agentCa.vault"),
        (
            ("config", "agentCa", "vault", "kubernetesAuth"),
            "spec.config.agentCa.vault.kubernetesAuth",
        ),
        (("config", "intermediateCertOptions"), "spec.config.intermediateCertOptions"),
        (
            ("config", "passiveCertificateAuthorities", 0),
            "spec.config.passiveCertificateAuthorities[]",
        ),
        (
            ("config", "passiveCertificateAuthorities", 0, "secretRef"),
            "spec.config.passiveCertificateAuthorities[].secretRef",
        ),
    ],
)
def test_an_unknown_field_is_refused_at_every_depth(
    gloo: Gloo, path: tuple[str | int, ...], where: str
) -> None:
    spec = with_fields(GOOD["RootTrustPolicy"], *path, colour="red")
    assert f"unknown field in {where}," in gloo.refusal("RootTrustPolicy", spec)


VAULT = ("config", "agentCa", "vault")


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        (
            "RootTrustPolicy",
            with_fields(GOOD["RootTrustPolicy"], "config", mgmtServerCa={"generated": {}}),
            "only one of mgmtServerCa and agentCa",
        ),
        (
            "RootTrustPolicy",
            {"config": {"mgmtServerCa": {"generated": {}, "secretRef": REFERENCE}}},
            "only one of generated and secretRef",
        ),
        (
            "RootTrustPolicy",
            with_fields(
                GOOD["RootTrustPolicy"], "config", "passiveCertificateAuthorities", 0, generated={}
            ),
            "only one of generated and secretRef",
        ),
        (
            "RootTrustPolicy",
            with_fields(GOOD["RootTrustPolicy"], *VAULT, caLocalPath="/etc/ca.pem"),
            "only one of caBundle, caSecretRef and caLocalPath",
        ),
        (
            "RootTrustPolicy",
            with_fields(GOOD["RootTrustPolicy"], *VAULT, tokenSecretRef=REFERENCE),
            "exactly one of tokenSecretRef and kubernetesAuth",
        ),
        (
            "RootTrustPolicy",
            with_fields(GOOD["RootTrustPolicy"], *VAULT, kubernetesAuth=None),
            "exactly one of tokenSecretRef and kubernetesAuth",
        ),
        (
            "RootTrustPolicy",
            with_fields(
                GOOD["RootTrustPolicy"],
                *VAULT,
                "kubernetesAuth",
                serviceAccountRef=REFERENCE,
                mountedSaPath="/var/run",
            ),
            "only one of serviceAccountRef and mountedSaPath",
        ),
        (
            "RootTrustPolicy",
            with_fields(GOOD["RootTrustPolicy"], *VAULT, "kubernetesAuth", role=None),
            "kubernetesAuth.role: Required value",
        ),
        ("RootTrustPolicy", {"config": {"agentCa": {}}}, "agentCa.vault: Required value"),
        ("RootTrustPolicy", {"applyToMeshes": []}, "spec.config: Required value"),
        (
            "RootTrustPolicy",
            with_fields(
                GOOD["RootTrustPolicy"],
                "config",
                "intermediateCertOptions",
                secretRotationGracePeriodRatio=1,
            ),
            "secretRotationGracePeriodRatio",
        ),
        (
            "IssuedCertificate",
            with_fields(
                GOOD["IssuedCertificate"], mgmtServerCa={"signingCertificateSecret": REFERENCE}
            ),
            "only one of mgmtServerCa and agentCa",
        ),
        (
            "IssuedCertificate",
            with_fields(GOOD["IssuedCertificate"], "agentCa", "vault", tokenSecretRef=REFERENCE),
            "exactly one of tokenSecretRef and kubernetesAuth",
        ),
        ("KubernetesCluster", {"clusterDomain": 7}, "clusterDomain"),
        ("Workspace", {"workloadClusters": [{"name": 7}]}, "workloadClusters[0].name"),
        ("Mesh", {"installation": {"podLabels": {"app": 7}}}, "podLabels"),
        ("CertificateRequest", {}, "certificateSigningRequest: Required value"),
        ("PodBounceDirective", {"podsToBounce": [{}]}, "namespace: Required value"),
    ],
)
def test_a_broken_object_is_refused_with_its_reason(
    gloo: Gloo, kind: str, spec: dict[str, Any], message: str
) -> None:
    assert message in gloo.refusal(kind, spec)


@pytest.mark.parametrize(
    "spec",
    [
        {"config": {}},
        {"config": {"mgmtServerCa": {}}},
        {"config": {"mgmtServerCa": {"generated": {"ttlDays": 365}}}},
        {"config": {"mgmtServerCa": {"secretRef": REFERENCE}}},
        with_fields(GOOD["RootTrustPolicy"], *VAULT, kubernetesAuth=None, tokenSecretRef=REFERENCE),
        with_fields(GOOD["RootTrustPolicy"], *VAULT, caBundle=None),
        with_fields(GOOD["RootTrustPolicy"], *VAULT, caBundle=None, caLocalPath="/etc/ca.pem"),
        with_fields(GOOD["RootTrustPolicy"], *VAULT, "kubernetesAuth", serviceAccountRef=REFERENCE),
    ],
)
def test_each_answer_of_a_one_of_is_taken(gloo: Gloo, spec: dict[str, Any]) -> None:
    gloo.create("RootTrustPolicy", spec)


@pytest.mark.parametrize("kind", STATUS)
def test_a_status_is_written_apart_and_as_strictly(east: client.ApiClient, kind: str) -> None:
    gloo, api = Gloo(east), unchecked(client.CustomObjectsApi(east))
    place = gloo.place(kind)
    body = {**gloo.body(kind, GOOD[kind]), "status": STATUS[kind]}
    created = api.create_namespaced_custom_object(*place, body)
    try:
        assert "status" not in created
        created["status"] = STATUS[kind]
        updated = api.replace_namespaced_custom_object_status(*place, "attempt", created)
        assert updated["status"] == STATUS[kind]
        for broken in ({**STATUS[kind], "colour": "red"}, _unknown_state(STATUS[kind])):
            bad = {**updated, "status": broken}
            with pytest.raises(ApiException) as refused:
                api.replace_namespaced_custom_object_status(
                    *place, "attempt", bad, field_validation="Ignore"
                )
            assert refused.value.status == HTTPStatus.UNPROCESSABLE_ENTITY
    finally:
        api.delete_namespaced_custom_object(*place, "attempt")


def _unknown_state(status: dict[str, Any]) -> dict[str, Any]:
    if "common" in status:
        return {"common": {"State": {"approval": "HOPEFUL"}}}
    if "state" in status:
        return {**status, "state": "HOPEFUL"}
    return {**status, "observedGeneration": "first"}
