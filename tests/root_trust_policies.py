"""Arguments of RootTrustPolicies: an ordinary one, and one for each branch of Gloo's API."""

from typing import Any

from mesh_trust import AgentVault, RootTrustPolicyArgs

CA = "-----BEGIN CERTIFICATE-----\n"
SECRET = {"name": "vault.ca", "namespace": "gloo-mesh"}

VAULT: AgentVault = {
    "server": "https://vault:8200",
    "ca_path": "pki/root/sign-intermediate",
    "csr_path": "pki_int_east/intermediate/generate/exported",
    "kubernetes_auth": {"mount_path": "kube-east-mesh-auth", "role": "role"},
}

ORDINARY: RootTrustPolicyArgs = {"cluster": "east", "vault": VAULT}

CERTIFICATES = {
    "ttl_days": 90,
    "rsa_key_size_bytes": 2048,
    "org_name": "Example",
    "secret_rotation_grace_period_ratio": 0.2,
}


def with_vault(**changes: Any) -> dict[str, Any]:
    """The ordinary policy with some fields of its Vault changed; None takes one away."""
    return {**ORDINARY, "vault": {**VAULT, **changes}}


def with_login(**changes: Any) -> dict[str, Any]:
    """The ordinary policy with some fields of its login changed."""
    return with_vault(kubernetes_auth={**VAULT["kubernetes_auth"], **changes})


def with_mesh(**changes: Any) -> dict[str, Any]:
    """The ordinary policy for the meshes of one cluster, and further fields of the selector."""
    return {**ORDINARY, "apply_to_meshes": [{"cluster_selector": {"cluster": "east"}, **changes}]}


def signed_by_gloo(**ca: Any) -> dict[str, Any]:
    """A policy with a root that Gloo's management server holds."""
    return {"cluster": "east", "management_server_ca": ca}


BRANCHES: dict[str, dict[str, Any]] = {
    "ordinary": dict(ORDINARY),
    "all of Vault": with_vault(
        namespace="team/mesh",
        ca_bundle=CA,
        kubernetes_auth={
            "mount_path": "kube-east-mesh-auth",
            "role": "role",
            "secret_token_key": "jwt",
            "service_account_ref": {"name": "istiod", "namespace": "istio-system"},
        },
    ),
    "CA of Vault in a Secret": with_vault(ca_secret_ref=SECRET),
    "CA of Vault in a file": with_vault(ca_local_path="/etc/vault/ca.pem"),
    "token in a Secret": with_vault(kubernetes_auth=None, token_secret_ref=SECRET),
    "account of the pod": with_login(
        mounted_sa_path="/var/run/secrets/kubernetes.io/serviceaccount"
    ),
    "Gloo's own mount": with_vault(kubernetes_auth={"role": "role"}),
    "root that Gloo makes": signed_by_gloo(generated={}),
    "root that Gloo makes in a way": signed_by_gloo(generated=CERTIFICATES),
    "root that Gloo is given": signed_by_gloo(secret_ref=SECRET),
    "roots that change": {
        **ORDINARY,
        "passive_certificate_authorities": [{"secret_ref": SECRET}, {"generated": CERTIFICATES}],
    },
    "certificates in a way": {**ORDINARY, "intermediate_certificates": CERTIFICATES},
    "restarts": {**ORDINARY, "auto_restart_pods": True},
    "every mesh": {**ORDINARY, "every_mesh": True},
    "revisions": {**ORDINARY, "revisions": ["default", "1-20"]},
    "all of a selector": with_mesh(
        namespace="istio", selector={"app": "istiod"}, revision="^1-2[01]$"
    ),
    "any namespace": with_mesh(namespace=None),
}
"""By what it shows. Each is accepted, here and by Gloo's definition."""
