"""What istiod's agent may do with Gloo's resources, rule by rule."""

import pulumi_kubernetes as kubernetes

_READ = ("get", "list", "watch")
_STATUS = ("get", "patch", "update")

# API group, resources, verbs. The agent reads the policy that tells it where Vault is; the
# certificates it asks for and the restarts it orders it also writes, and reports on.
AGENT_RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("admin.gloo.solo.io", ("roottrustpolicies",), _READ),
    ("admin.gloo.solo.io", ("roottrustpolicies/status",), _STATUS),
    (
        "internal.gloo.solo.io",
        ("certificaterequests", "issuedcertificates", "podbouncedirectives"),
        (*_READ, "create", "patch", "update", "delete"),
    ),
    (
        "internal.gloo.solo.io",
        (
            "certificaterequests/status",
            "issuedcertificates/status",
            "podbouncedirectives/status",
        ),
        _STATUS,
    ),
)


def agent_policy_rules() -> list[kubernetes.rbac.v1.PolicyRuleArgs]:
    """AGENT_RULES as the rules of a ClusterRole."""
    return [
        kubernetes.rbac.v1.PolicyRuleArgs(
            api_groups=[group], resources=list(resources), verbs=list(verbs)
        )
        for group, resources, verbs in AGENT_RULES
    ]
