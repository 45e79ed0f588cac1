"""RootTrustPolicies: as the program left them, accepted by Gloo, and none that restarts pods."""

from collections.abc import Iterator
from typing import Any

from mesh_trust.cluster_access import ClusterAccess
from mesh_trust.readiness import Ready
from mesh_trust.root_trust_policy_status import API_VERSION, PLURAL, READS, PolicyInCluster

from ..cluster_client import ClusterClient
from ..comparison import PUT_BACK, differences
from ..expected import ExpectedTrust
from ..finding import Finding, State
from ..restarting import all_policies, restarts_pods

_GROUP, _, _VERSION = API_VERSION.partition("/")
_RESOURCE = f"{PLURAL}.{_GROUP}"


def root_trust_policy(client: ClusterClient, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether the policy of the cluster says what the program wrote, and nothing else."""
    check, policy = "root-trust-policy", trust.policy
    place = f"RootTrustPolicy {policy.namespace}/{policy.name}"
    found = _policy(client, trust)
    if found is None:
        seen = f"there is no {place} in the cluster of context {client.context}"
        yield Finding(check, trust.subject, State.FAILED, seen, PUT_BACK)
        return
    if faults := differences(policy.spec, found["spec"], "spec", closed=True):
        seen = f"{place}: {'; '.join(faults)}"
        fix = "take out what others have put in, and put back the rest: `pulumi refresh`, then "
        yield Finding(check, trust.subject, State.FAILED, seen, f"{fix}`pulumi up`")
        return
    yield Finding(check, trust.subject, State.OK, f"{place} is as the program left it")


def root_trust_policy_status(client: ClusterClient, trust: ExpectedTrust) -> Iterator[Finding]:
    """What Gloo says of the policy, and whether it says so of what it says now."""
    check, policy = "root-trust-policy-status", trust.policy
    found = _policy(client, trust)
    if found is None:
        # Said by the check before.
        return
    connection = trust.policy_connection
    access = ClusterAccess(connection.kubeconfig, connection.context, READS)
    seen = PolicyInCluster(access, policy.namespace, policy.name, found["metadata"]["uid"])
    judged = seen.judged(found["metadata"], found.get("status") or {})
    if not isinstance(judged, Ready):
        yield Finding(check, trust.subject, State.FAILED, f"{seen}: {judged.reason}", judged.advice)
    elif judged.remark is not None:
        remark, _, fix = judged.remark.rpartition("; ")
        yield Finding(check, trust.subject, State.WARNING, remark, fix)
    else:
        yield Finding(check, trust.subject, State.OK, f"{seen} is {judged.result}")


def auto_restart_pods(client: ClusterClient, subject: str) -> Iterator[Finding]:
    """Whether any policy of the cluster, in whichever namespace, has Gloo restart workloads."""
    check, policies = "auto-restart-pods", all_policies(client)
    on = [
        f"{each['metadata']['namespace']}/{each['metadata']['name']}"
        for each in policies
        if restarts_pods(each)
    ]
    if on:
        namespace, _, name = on[0].partition("/")
        seen = f"Gloo restarts all workloads at once when certificates change: {', '.join(on)}"
        fix = (
            "set autoRestartPods to false, and restart them as suits you: "
            f"`kubectl --context {client.context} edit {_RESOURCE} -n {namespace} {name}`"
        )
        yield Finding(check, subject, State.WARNING, seen, fix)
        return
    seen = f"none of {len(policies)} RootTrustPolicies has Gloo restart workloads"
    yield Finding(check, subject, State.OK, seen)


def _policy(client: ClusterClient, trust: ExpectedTrust) -> dict[str, Any] | None:
    policy = trust.policy
    what, read = f"{_RESOURCE} in {policy.namespace}", client.custom.get_namespaced_custom_object
    return client.found_once(what, read, _GROUP, _VERSION, policy.namespace, PLURAL, policy.name)
