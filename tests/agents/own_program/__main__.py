"""Somebody's own program that grants istiod's agents their permissions.

`OWN_PROGRAM` in the environment has what a test varies, as JSON: `release`, the arguments of an
AgentRelease, `token`, a secret among its values, `rbac`, those of an AgentRbac, and `trust`, some
of those of a ClusterTrust.
"""

import json
import os

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault

from mesh_trust import AgentRbac, AgentRelease, ClusterTrust

settings = json.loads(os.environ["OWN_PROGRAM"])
cluster = kubernetes.Provider("cluster", kubeconfig=os.environ["CLUSTER"])
opts = pulumi.ResourceOptions(providers=[cluster])

if "rbac" in settings:
    rbac = AgentRbac("east-rbac", settings["rbac"], opts=opts)
    pulumi.export("accounts", rbac.istiod_service_accounts)
    pulumi.export("jwt", rbac.reviewer_jwt)
if "release" in settings:
    if "token" in settings:
        settings["release"]["values"]["token"] = pulumi.Output.secret(settings["token"])
    release = AgentRelease("east-agent", settings["release"], opts=opts)
    pulumi.export("account", release.istiod_service_account)
if "trust" in settings:
    trust = ClusterTrust(
        "east",
        {
            "cluster": "east",
            "kubernetes_host": "https://192.0.2.1:6443",
            "kubernetes_ca_certificate": "a certificate",
            "ca_path": "pki/root/sign-intermediate",
            "vault_address": "https://192.0.2.2:8200",
            **settings["trust"],  # type: ignore[typeddict-item]
        },
        opts=pulumi.ResourceOptions(
            providers=[cluster, vault.Provider("vault", address=os.environ["VAULT_ADDR"])]
        ),
    )
    pulumi.export("role", trust.role_name)
