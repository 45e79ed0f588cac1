"""What the component makes of the statuses that a real API server holds."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from kubernetes import client

from mesh_trust.cluster_access import ClusterAccess
from mesh_trust.cluster_errors import UnusableAccessError
from mesh_trust.readiness import Obstacle, Ready, until_ready
from mesh_trust.root_trust_policy_status import READS, PolicyInCluster
from tests.conformance.kubernetes.conftest import CLUSTER
from tests.own_loop import run_alone

from .gloo import GROUP, GlooHand, Outage


@pytest.fixture
def policy(gloo: GlooHand) -> PolicyInCluster:
    """One that Gloo has not seen yet."""
    return gloo.seen(gloo.create())


def obstacle(found: Ready | Obstacle) -> Obstacle:
    assert isinstance(found, Obstacle)
    return found


def wait(
    policy: PolicyInCluster, seconds: float, *acts: Callable[[], None]
) -> tuple[Ready, list[str]]:
    """What came of the waiting while `acts` happened one after the other, and what was said."""
    said: list[str] = []

    def act() -> None:
        for each in acts:
            time.sleep(0.3)
            each()

    with ThreadPoolExecutor() as executor:
        acting = executor.submit(act)
        ready = run_alone(
            until_ready(
                str(policy),
                policy.look,
                seconds,
                lambda line, _: said.append(line.rpartition(" (")[0] or line),
                look_every_seconds=0.05,
            )
        )
        acting.result()
    return ready, said


def test_accepted_at_once_is_not_worth_a_word(gloo: GlooHand, policy: PolicyInCluster) -> None:
    gloo.judge("ACCEPTED")
    assert wait(policy, 5) == (Ready("ACCEPTED"), [])


def test_pending_is_waited_for(gloo: GlooHand, policy: PolicyInCluster) -> None:
    ready, said = wait(policy, 30, lambda: gloo.judge("PENDING"), lambda: gloo.judge("ACCEPTED"))

    assert ready == Ready("ACCEPTED")
    assert said[:2] == ["Gloo has written no status yet", "it is PENDING"]
    assert said[2].startswith(f"RootTrustPolicy {gloo.namespace}/east is ready after ")
    assert said[2].endswith(" s: ACCEPTED")


@pytest.mark.parametrize("former", ["ACCEPTED", "INVALID", "FAILED", "UNLICENSED", "WARNING"])
def test_a_status_of_a_former_generation_counts_for_nothing(
    gloo: GlooHand, policy: PolicyInCluster, former: str
) -> None:
    gloo.judge(former)
    gloo.change()

    found = obstacle(policy.look())
    assert found.reason == (
        f"Gloo has looked at generation 1 only ({former}), and this is generation 2"
    )
    assert found.patience_seconds > 300
    assert wait(policy, 30, lambda: gloo.judge("ACCEPTED"))[0] == Ready("ACCEPTED")


def test_a_status_without_a_generation_counts_for_nothing(
    gloo: GlooHand, policy: PolicyInCluster
) -> None:
    gloo.judge("ACCEPTED", generation=-1)
    assert obstacle(policy.look()).kind == "status of before"


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("INVALID", "it has values or references that Gloo finds wrong"),
        ("FAILED", "it is correct, but Gloo ran into an error"),
        ("UNLICENSED", "the licence of Gloo's management server is none for it"),
    ],
)
def test_what_waiting_does_not_mend_ends_it_in_one_line(
    gloo: GlooHand, policy: PolicyInCluster, state: str, meaning: str
) -> None:
    with pytest.raises(
        pulumi.RunError,
        match=rf"^RootTrustPolicy {gloo.namespace}/east is not ready after \d s: it is {state}: "
        rf"{meaning}.*; see `kubectl --context {CLUSTER} describe "
        rf"roottrustpolicies\.{GROUP} -n {gloo.namespace} east`$",
    ):
        wait(policy, 30, lambda: gloo.judge("PENDING"), lambda: gloo.judge(state))


def test_a_warning_is_accepted_with_a_remark(gloo: GlooHand, policy: PolicyInCluster) -> None:
    gloo.judge("WARNING")

    ready, _ = wait(policy, 5)
    assert ready.result == "WARNING"
    assert (ready.remark or "").startswith(
        f"RootTrustPolicy {gloo.namespace}/east is accepted with a WARNING: "
    )


def test_when_the_time_is_over_the_state_is_told(gloo: GlooHand, policy: PolicyInCluster) -> None:
    gloo.judge("PENDING")

    with pytest.raises(pulumi.RunError, match=r"is not ready after 1 s: it is PENDING; see that "):
        wait(policy, 0.6)


def test_a_policy_that_vanishes(
    gloo: GlooHand, policy: PolicyInCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesh_trust.root_trust_policy_status._GONE_SECONDS", 0.5)

    with pytest.raises(pulumi.RunError, match=r"after [12] s: it is not in the cluster at https:"):
        wait(policy, 30, gloo.delete)


def test_a_policy_that_is_on_its_way_out(gloo: GlooHand, policy: PolicyInCluster) -> None:
    gloo.judge("ACCEPTED")
    gloo.hold("test.example/held")
    gloo.delete()

    found = obstacle(policy.look())
    assert found.reason == "it is being deleted"
    assert found.patience_seconds == 15
    gloo.hold()


def test_another_policy_of_that_name(gloo: GlooHand, policy: PolicyInCluster) -> None:
    gloo.delete()
    gloo.create()
    gloo.judge("ACCEPTED")

    with pytest.raises(
        UnusableAccessError, match=r"^await_status\.context: 'https://.*name the cluster of the"
    ):
        wait(policy, 5)


def test_a_cluster_without_gloo(policy: PolicyInCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh_trust.root_trust_policy_status.PLURAL", "unknownpolicies")
    assert obstacle(policy.look()).kind == "gone"


@pytest.fixture
def watcher(gloo: GlooHand) -> ClusterAccess:
    """What a service account of the namespace sees, which has no rights yet."""
    gloo.core.create_namespaced_service_account(gloo.namespace, {"metadata": {"name": "watcher"}})
    token = gloo.core.create_namespaced_service_account_token(
        "watcher", gloo.namespace, {"spec": {}}
    ).status.token
    document: Any = yaml.safe_load(gloo.kubeconfig.read_text())
    for user in document["users"]:
        user["user"] = {"token": token}
    return ClusterAccess(yaml.safe_dump(document), CLUSTER, READS)


def let_read(gloo: GlooHand, policy: PolicyInCluster) -> None:
    """Gives the watcher the right to read policies; returns when it counts."""
    rules = [{"apiGroups": [GROUP], "resources": ["roottrustpolicies"], "verbs": ["get"]}]
    subject = {"kind": "ServiceAccount", "name": "watcher", "namespace": gloo.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "watcher"}
    rbac: Any = client.RbacAuthorizationV1Api(gloo.api)
    metadata = {"name": "watcher"}
    rbac.create_namespaced_role(gloo.namespace, {"metadata": metadata, "rules": rules})
    rbac.create_namespaced_role_binding(
        gloo.namespace, {"metadata": metadata, "roleRef": role, "subjects": [subject]}
    )
    deadline = time.monotonic() + 30
    while True:
        found = policy.look()
        if isinstance(found, Ready) or found.kind != "refused":
            return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_right_to_read_policies_is_needed_and_enough(
    gloo: GlooHand, watcher: ClusterAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = gloo.seen(gloo.create(), watcher)
    with monkeypatch.context() as impatient:
        impatient.setattr("mesh_trust.cluster_obstacle.REFUSED_SECONDS", 0.5)
        with pytest.raises(
            pulumi.RunError,
            match=rf"^RootTrustPolicy {gloo.namespace}/east is not ready after . s: the cluster "
            r"of the kubeconfig refuses .* is forbidden: .*; give the user of the kubeconfig the "
            rf"right to read RootTrustPolicy objects \(roottrustpolicies\.{GROUP}\)$",
        ):
            wait(policy, 30)

    gloo.judge("ACCEPTED")
    ready, said = wait(policy, 60, lambda: let_read(gloo, policy))
    assert ready == Ready("ACCEPTED")
    assert said[0].startswith("the cluster of the kubeconfig refuses to be read")


@pytest.fixture
def outage(kubeconfig_path: Path) -> Iterator[Outage]:
    outage = Outage(kubeconfig_path)
    yield outage
    outage.mend()


def test_a_server_that_is_away_for_a_moment(
    gloo: GlooHand, watcher: ClusterAccess, outage: Outage
) -> None:
    policy = gloo.seen(gloo.create(), watcher)
    let_read(gloo, policy)
    gloo.judge("PENDING")

    ready, said = wait(policy, 90, outage.begin, outage.mend, lambda: gloo.judge("ACCEPTED"))

    assert ready == Ready("ACCEPTED")
    assert said[0] == "it is PENDING"
    assert said[1].startswith("the cluster cannot be asked: its API server does not answer")
    assert "is ready after" in said[-1]
