import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from kubernetes import client

from lab.lab import Lab

from .inventory import Inventory, kubernetes_client, take_inventory, vault_client
from .program import NO_CHANGES_EXIT_CODE, Program
from .token_policy import limited_token, rules

CLUSTERS = ("east", "west")


UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a value that only `up` will tell."""


def test_the_first_preview_says_all_that_can_be_known_and_writes_nothing(
    lab: Lab, undeployed: Program, untouched: Inventory
) -> None:
    plan = undeployed.plan()
    told = undeployed.run("preview", "--diff")

    assert take_inventory(lab).changes_since(untouched) == set()
    assert {step["op"] for step in plan.values()} == {"create"}
    inputs = {name: step["newState"].get("inputs", {}) for name, step in plan.items()}
    for cluster in CLUSTERS:
        policy = inputs[f"{cluster}-intermediate-policy"]["policy"]
        assert f'path "pki_int_{cluster}/intermediate/generate/exported"' in policy
        assert 'path "pki/root/sign-intermediate"' in policy
        role = inputs[f"{cluster}-auth-role"]
        assert role["boundServiceAccountNames"] == ["istiod"]
        assert role["tokenPolicies"] == [f"gen-int-ca-istio-{cluster}-mesh"]
        trust = inputs[f"{cluster}-trust-policy"]["spec"]["config"]["agentCa"]["vault"]
        assert trust["caPath"] == "pki/root/sign-intermediate"
        assert trust["kubernetesAuth"]["mountPath"] == f"/v1/auth/kube-{cluster}-mesh-auth"
    assert inputs["root-pki-default-issuer"]["default"] == UNKNOWN
    # In words for a person, too.
    assert "pki_int_east/intermediate/generate/exported" in told
    assert "RootTrustPolicy" in told


def protected(program: Program) -> set[str]:
    return {name for name, step in program.plan().items() if step["newState"].get("protect")}


def test_root_and_root_mount_are_protected_outside_development(undeployed: Program) -> None:
    assert protected(undeployed) == set()
    undeployed.configure(development=False)
    try:
        with limited_token(undeployed, rules()):
            assert protected(undeployed) == {"root-key", "root-certificate", "root-pki-mount"}
    finally:
        undeployed.configure_as_committed()


def test_a_second_up_changes_nothing(deployed: Program) -> None:
    deployed.run("preview", "--expect-no-changes")
    deployed.run("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_the_state_keeps_few_calls_of_each_resource(deployed: Program) -> None:
    resources = deployed.state()["deployment"]["resources"]
    kept = [each["stackTrace"] for each in resources if "ClusterTrust$" in each["urn"]]
    assert len(kept) > len(CLUSTERS)
    # Less the SDK's own.
    assert all(0 < len(trace) < 12 for trace in kept)


def test_expecting_no_changes_notices_one(deployed: Program) -> None:
    deployed.configure(intermediateLifetimeDays=30)
    try:
        outcome = deployed.attempt("preview", "--expect-no-changes")
    finally:
        deployed.configure_as_committed()
    assert outcome.exit_code == NO_CHANGES_EXIT_CODE


def test_the_outputs(lab: Lab, deployed: Program) -> None:
    outputs = deployed.outputs()

    roots = {"rootCertificate", "roots"}
    assert set(outputs) == roots | {"vaultAddress", "clusters", "administrator"}
    [root] = outputs["roots"]
    assert (root["name"], root["signing"]) == ("first", True)
    assert root["certificate"] == outputs["rootCertificate"]
    assert outputs["administrator"] == {"username": "admin", "password": "[secret]"}
    assert outputs["vaultAddress"] == lab.environment()["VAULT_ADDR"]
    assert outputs["clusters"] == {
        cluster: {
            "authMount": f"kube-{cluster}-mesh-auth",
            "intermediateMount": f"pki_int_{cluster}",
            "role": f"gen-int-ca-istio-{cluster}-mesh",
            "policy": f"gen-int-ca-istio-{cluster}-mesh",
        }
        for cluster in CLUSTERS
    }


def test_the_root_certificate(deployed: Program) -> None:
    root = exported_root(deployed)

    key = root.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 4096
    assert (root.not_valid_after_utc - root.not_valid_before_utc).days == 3650
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 1)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert root.signature_hash_algorithm is not None
    assert root.signature_hash_algorithm.name == "sha256"
    root.verify_directly_issued_by(root)


def test_the_root_in_vault(lab: Lab, deployed: Program) -> None:
    vault = vault_client(lab)

    tuned = vault.sys.read_mount_configuration("pki")["data"]
    assert (tuned["default_lease_ttl"], tuned["max_lease_ttl"]) == (365 * 86_400, 365 * 86_400)
    default = vault.read("pki/config/issuers")["data"]["default"]
    issuer = vault.read(f"pki/issuer/{default}")["data"]["certificate"]
    in_vault = x509.load_pem_x509_certificate(issuer.encode())
    assert in_vault.fingerprint(SHA256()) == exported_root(deployed).fingerprint(SHA256())


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.usefixtures("deployed")
def test_a_cluster_in_vault(lab: Lab, cluster: str) -> None:
    vault = vault_client(lab)
    name = f"gen-int-ca-istio-{cluster}-mesh"

    assert vault.sys.list_mounted_secrets_engines()["data"][f"pki_int_{cluster}/"]["type"] == "pki"
    config = vault.read(f"auth/kube-{cluster}-mesh-auth/config")["data"]
    api = kubernetes_client(lab, cluster)
    authority = Path(api.configuration.ssl_ca_cert).read_text()
    assert config["kubernetes_ca_cert"].strip() == authority.strip()
    assert config["kubernetes_host"] == api.configuration.host
    assert config["disable_local_ca_jwt"] is True
    role = vault.read(f"auth/kube-{cluster}-mesh-auth/role/{name}")["data"]
    assert role["bound_service_account_names"] == ["istiod"]
    assert role["bound_service_account_namespaces"] == ["istio-system"]
    assert role["token_policies"] == [name]
    assert role["token_ttl"] == 3600
    assert "*" not in vault.sys.read_policy(name)["data"]["rules"]


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.usefixtures("deployed")
def test_a_cluster_in_kubernetes(lab: Lab, cluster: str) -> None:
    api = kubernetes_client(lab, cluster)
    core: Any = client.CoreV1Api(api)
    rbac: Any = client.RbacAuthorizationV1Api(api)

    assert core.read_namespaced_service_account("vault-token-reviewer", "istio-system")
    secret = core.read_namespaced_secret("vault-token-reviewer", "istio-system")
    assert secret.type == "kubernetes.io/service-account-token"
    assert base64.b64decode(secret.data["token"])
    reviewer = rbac.read_cluster_role_binding("vault-token-reviewer")
    assert reviewer.role_ref.name == "system:auth-delegator"
    role = rbac.read_cluster_role("gloo-mesh-istiod-agent")
    for rule in role.rules:
        assert not any("*" in each for each in (*rule.api_groups, *rule.resources, *rule.verbs))
    agent = rbac.read_cluster_role_binding("gloo-mesh-istiod-agent")
    assert [(each.kind, each.namespace, each.name) for each in agent.subjects] == [
        ("ServiceAccount", "istio-system", "istiod")
    ]


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.usefixtures("deployed")
def test_gloos_policy_picks_this_clusters_mesh_and_no_other(lab: Lab, cluster: str) -> None:
    objects: Any = client.CustomObjectsApi(kubernetes_client(lab, cluster))
    policy = objects.get_namespaced_custom_object(
        "admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies", cluster
    )
    (mesh,) = policy["spec"]["applyToMeshes"]
    selector = mesh["istio"]["clusterSelector"]
    management: Any = client.CustomObjectsApi(kubernetes_client(lab, "mgmt"))
    registered = management.list_namespaced_custom_object(
        "admin.gloo.solo.io", "v2", "gloo-mesh", "kubernetesclusters"
    )["items"]
    picked = [
        each["metadata"]["name"]
        for each in registered
        if selector.items() <= each["metadata"]["labels"].items()
    ]

    assert len(registered) > 1
    assert picked == [cluster]
    assert policy["spec"]["config"]["autoRestartPods"] is False


def exported_root(program: Program) -> x509.Certificate:
    return x509.load_pem_x509_certificate(program.outputs()["rootCertificate"].encode())
