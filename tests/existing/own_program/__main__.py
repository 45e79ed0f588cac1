"""Somebody's own program that uses two of the components, or others.

`OWN_PROGRAM` in the environment has what a test varies, as JSON: `auth_mount`, the path of the auth
mount, `provider`, which is `default` for the default one, and `late` for one that a preview cannot
configure, and `issuer_key`, with which it uses components that the guide has nothing like.
"""

import json
import os

import pulumi
import pulumi_random as random
import pulumi_vault as vault

from mesh_trust import (
    ClusterAuthMount,
    ClusterCa,
    ClusterJwtAuthMount,
    IntermediatePki,
    RootPki,
    VaultAdministrator,
)

settings = json.loads(os.environ["OWN_PROGRAM"])

address: pulumi.Input[str] = os.environ["VAULT_ADDR"]
if settings.get("provider") == "late":
    installed = random.RandomInteger("installed", min=0, max=1)
    address = pulumi.Output.concat(address, installed.result.apply(lambda _: ""))
providers: dict[str, pulumi.ProviderResource] = {}
if settings.get("provider") != "default":
    providers["vault"] = vault.Provider("own vault", address=address)

opts = pulumi.ResourceOptions(providers=providers)

intermediate = IntermediatePki(
    "east-intermediate",
    {"cluster": "east", "ca_path": "pki/root/sign-intermediate"},
    opts=opts,
)
if "issuer_key" in settings:
    root = RootPki(
        "root",
        {
            "generate": {
                "common_name": "Own root",
                "key_algorithm": "ECDSA-P256",
                "path_length": 2,
            },
            "protect": False,
        },
        opts=opts,
    )
    ca = ClusterCa(
        "east-ca",
        {
            "cluster": "east",
            "root_mount_path": root.mount_path,
            "root_issuer_id": root.issuer_id,
            "root_certificate_pem": root.certificate_pem,
            "key_algorithm": "ECDSA-P256",
            "protect": False,
        },
        opts=opts,
    )
    login = ClusterJwtAuthMount(
        "east-login",
        {
            "cluster": "east",
            "issuer_keys": [settings["issuer_key"]],
            "policies": [intermediate.policy_name],
            "service_account_names": ["istiod"],
            "service_account_namespaces": ["istio-system"],
        },
        opts=opts,
    )
    VaultAdministrator(
        "administrator",
        {
            "signing_mount_paths": [root.mount_path, ca.mount_path],
            "clusters": [
                {
                    "intermediate_mount_path": intermediate.mount_path,
                    "auth_mount_path": login.mount_path,
                    "role_name": login.role_name,
                    "policy_name": intermediate.policy_name,
                }
            ],
        },
        opts=opts,
    )
else:
    ClusterAuthMount(
        "east-auth",
        {
            "cluster": "east",
            "kubernetes_host": "https://192.0.2.1:6443",
            "kubernetes_ca_certificate": "a certificate",
            "token_reviewer_jwt": "e30.e30.c2lnbmVk",
            "policies": [intermediate.policy_name],
            "service_account_names": ["istiod"],
            "service_account_namespaces": ["istio-system"],
            "mount_path": settings.get("auth_mount", "kube-east-mesh-auth"),
        },
        opts=opts,
    )
