"""A program of nobody's components, which breaks every rule or keeps each of them."""

import json
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

broken = json.loads(Path("broken.json").read_text())
scheme = "http" if broken else "https"
ttl = 86400 if broken else 3600

there = vault.Provider("there", address=f"{scheme}://127.0.0.1:1", token="none")
of_vault = pulumi.ResourceOptions(provider=there)
files = kubernetes.Provider("files", render_yaml_to_directory="rendered")
of_cluster = pulumi.ResourceOptions(provider=files)

mount = vault.Mount(
    "mount",
    path="root",
    type="pki",
    opts=pulumi.ResourceOptions(provider=there, protect=not broken),
)
vault.pkisecret.SecretBackendRootCert(
    "root",
    backend="root",
    type="internal",
    common_name="root",
    key_type="rsa",
    key_bits=2048 if broken else 4096,
    ttl="24h" if broken else f"{24 * 3650}h",
    opts=pulumi.ResourceOptions(provider=there, depends_on=[mount]),
)
vault.Policy(
    "policy",
    name="policy",
    policy=f'path "{"root/*" if broken else "root/root/sign-intermediate"}" {{\n'
    '  capabilities = ["update"]\n}\n',
    opts=of_vault,
)
vault.kubernetes.AuthBackendRole(
    "role",
    backend="kube-east-mesh-auth",
    role_name="role",
    bound_service_account_names=["istiod"],
    bound_service_account_namespaces=["istio-system"],
    token_policies=["root" if broken else "policy"],
    token_ttl=ttl,
    token_max_ttl=ttl,
    opts=of_vault,
)
kubernetes.rbac.v1.ClusterRole(
    "permissions",
    metadata={"name": "permissions"},
    rules=[
        {"api_groups": [""], "resources": ["pods"], "verbs": ["*"] if broken else ["get", "list"]}
    ],
    opts=of_cluster,
)
kubernetes.apiextensions.CustomResource(
    "trust",
    api_version="admin.gloo.solo.io/v2",
    kind="RootTrustPolicy",
    metadata={"name": "trust", "namespace": "gloo-mesh"},
    spec={
        "config": {
            "autoRestartPods": broken,
            "agentCa": {
                "vault": {
                    "caPath": "root/root/sign-intermediate",
                    "csrPath": "pki_int_east/intermediate/generate/exported",
                    "server": f"{scheme}://127.0.0.1:1",
                    "kubernetesAuth": {
                        "mountPath": f"/v1/auth/kube-{'west' if broken else 'east'}-mesh-auth",
                        "role": "role",
                    },
                }
            },
        }
    },
    opts=of_cluster,
)
