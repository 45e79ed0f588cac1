"""Somebody's own program that puts the agent beside an istiod.

`OWN_PROGRAM` in the environment has the component's arguments that a test varies, as JSON.
"""

import json
import os

import pulumi
import pulumi_kubernetes as kubernetes

from mesh_trust import IstiodAgent, IstiodAgentArgs

provider = kubernetes.Provider(
    "cluster",
    kubeconfig=os.environ["KUBECONFIG"],
    context=os.environ["CONTEXT"],
    # As the stack has it.
    enable_patch_force=True,
)
args: IstiodAgentArgs = {
    "image": "mesh-trust.lab/idle-agent",
    "version": "1",
    "kubeconfig": os.environ["KUBECONFIG"],
    "context": os.environ["CONTEXT"],
    "trust": {"root": "the first root", "address": "https://vault:8200"},
}
agent = IstiodAgent(
    "agent",
    args | json.loads(os.environ["OWN_PROGRAM"]),
    opts=pulumi.ResourceOptions(providers=[provider]),
)
pulumi.export("trust", agent.trust_digest)
pulumi.export("manifest", agent.manifest)
