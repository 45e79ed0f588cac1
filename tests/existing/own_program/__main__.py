"""Somebody's own program that uses two of the components.

`OWN_PROGRAM` in the environment has what a test varies, as JSON: `auth_mount`, the path of the auth
mount, and `provider`, which is `default` for the default one, and `late` for one that a preview
cannot configure.
"""

import json
import os
import sys

import pulumi
import pulumi_random as random
import pulumi_vault as vault

sys.path.append(os.environ["CHECKOUT"])

from components import ClusterAuthMount, IntermediatePki

settings = json.loads(os.environ["OWN_PROGRAM"])

address: pulumi.Input[str] = os.environ["VAULT_ADDR"]
if settings.get("provider") == "late":
    installed = random.RandomInteger("installed", min=0, max=1)
    address = pulumi.Output.concat(address, installed.result.apply(lambda _: ""))
providers: dict[str, pulumi.ProviderResource] = {}
if settings.get("provider") != "default":
    providers["vault"] = vault.Provider("own vault", address=address)

intermediate = IntermediatePki(
    "east-intermediate",
    {"cluster": "east", "ca_path": "pki/root/sign-intermediate"},
    opts=pulumi.ResourceOptions(providers=providers),
)
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
    opts=pulumi.ResourceOptions(providers=providers),
)
