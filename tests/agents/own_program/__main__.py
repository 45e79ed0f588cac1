"""Somebody's own program that grants istiod's agents their permissions.

`OWN_PROGRAM` in the environment has what a test varies, as JSON: `release`, the arguments of an
AgentRelease, `rbac`, those of an AgentRbac, and `namespace`, where that one's accounts are.
"""

import json
import os
import sys

import pulumi
import pulumi_kubernetes as kubernetes

sys.path.append(os.environ["CHECKOUT"])

from components import AgentRbac, AgentRelease

settings = json.loads(os.environ["OWN_PROGRAM"])
cluster = kubernetes.Provider("cluster", kubeconfig=os.environ["CLUSTER"])
opts = pulumi.ResourceOptions(providers=[cluster])

if "rbac" in settings:
    rbac = AgentRbac("east-rbac", settings["rbac"], opts=opts)
    pulumi.export("accounts", rbac.istiod_service_accounts)
    pulumi.export("jwt", rbac.reviewer_jwt)
if "release" in settings:
    release = AgentRelease("east-agent", settings["release"], opts=opts)
    pulumi.export("account", release.istiod_service_account)
