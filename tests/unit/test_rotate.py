"""What decides in a rotation, without servers: budgets, marks, steps, and what pods tell."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes import client

from mesh_trust.operations.errors import OperationError, RotationStoppedError
from mesh_trust.operations.finding import State
from mesh_trust.operations.generations import generations_of
from mesh_trust.operations.istiod_chain import IstiodChain
from mesh_trust.operations.rotation import marks
from mesh_trust.operations.rotation.budgets import budget_obstacle, impossible, taken_at_once
from mesh_trust.operations.rotation.intermediates import require_own
from mesh_trust.operations.rotation.marks import Mark, Progress, open_rotation
from mesh_trust.operations.rotation.next_step import next_step
from mesh_trust.operations.rotation.proxies import (
    go_duration,
    proxies_that_trust_one,
    proxies_with_old_certificates,
    signs_alone_since,
)
from mesh_trust.operations.rotation.restarting_policies import RestartingPolicies
from mesh_trust.operations.rotation.workload import Workload, is_there_to_stay, label_selector
from mesh_trust.root_checks import fingerprint
from tests.certificates import Recipe, make

FIRST, SECOND, THIRD = (make(Recipe(common_name=str(day), starts=day)) for day in (-9, -6, -3))
MADE = {"first": FIRST, "2027": SECOND, "2028": THIRD}
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def read(kind: str, content: dict[str, Any]) -> Any:
    """An object as the client reads it."""
    return getattr(client, kind).from_dict(content)


def deployment(replicas: int, strategy: dict[str, Any], **annotations: str) -> Any:
    return read(
        "V1Deployment",
        {
            "metadata": {"name": "reviews", "namespace": "shop", "annotations": annotations},
            "spec": {
                "replicas": replicas,
                "strategy": strategy,
                "selector": {},
                "template": {"metadata": {"labels": {"app": "reviews"}}},
            },
        },
    )


def rolling(surge: int | str, unavailable: int | str) -> dict[str, Any]:
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    }


@pytest.mark.parametrize(
    ("replicas", "strategy", "taken"),
    [
        (3, rolling("25%", "25%"), 0),
        (4, rolling("25%", "25%"), 1),
        (10, rolling(0, "25%"), 2),
        (10, rolling(0, 5), 5),
        (2, rolling(0, 5), 2),
        (3, rolling(0, "10%"), 1),
        (3, rolling("1%", "10%"), 0),
        (3, {"type": "Recreate"}, 3),
    ],
)
def test_a_rollout_takes_what_its_strategy_says(
    replicas: int, strategy: dict[str, Any], taken: int
) -> None:
    assert taken_at_once(deployment(replicas, strategy)) == taken


def budget(expected: int, desired: int, generation: int = 1) -> Any:
    return read(
        "V1PodDisruptionBudget",
        {
            "metadata": {"name": "reviews", "namespace": "shop", "generation": generation},
            "status": {
                "observedGeneration": 1,
                "expectedPods": expected,
                "desiredHealthy": desired,
                "currentHealthy": 0,
                "disruptionsAllowed": 0,
            },
        },
    )


@pytest.mark.parametrize(
    ("unavailable", "desired", "is_possible"),
    [(1, 3, True), (1, 4, False), (0, 4, True), (2, 3, False), (2, 2, True)],
)
def test_a_budget_that_never_leaves_room_is_told_from_one_that_does(
    unavailable: int, desired: int, is_possible: bool
) -> None:
    workload = Workload("east", None, "shop", "reviews")  # type: ignore[arg-type]
    found = impossible(workload, deployment(4, rolling(1, unavailable)), budget(4, desired))

    assert (found is None) is is_possible
    if found is not None:
        assert f"may take {unavailable} pods away at once" in found
        assert f"never leaves more than {4 - desired}; set maxUnavailable" in found


def test_a_budget_that_its_cluster_has_not_looked_at_is_waited_for() -> None:
    east: Any = SimpleNamespace(context="east")
    workload = Workload("east", east, "shop", "reviews")
    wanted = deployment(4, rolling(0, 1))
    assert impossible(workload, wanted, budget(0, 0, generation=2)) is None
    assert impossible(workload, wanted, budget(0, 0)) is not None
    obstacle = budget_obstacle(workload, wanted, [budget(0, 0, generation=2)])
    assert obstacle is not None
    assert obstacle.kind == "budget unseen"


def test_selectors_are_written_as_requests_have_them() -> None:
    selector = read(
        "V1LabelSelector",
        {
            "matchLabels": {"app": "istiod"},
            "matchExpressions": [
                {"key": "istio.io/rev", "operator": "In", "values": ["1-20", "default"]},
                {"key": "tier", "operator": "NotIn", "values": ["test"]},
                {"key": "mesh", "operator": "Exists"},
                {"key": "old", "operator": "DoesNotExist"},
            ],
        },
    )
    assert label_selector(selector) == (
        "app=istiod,istio.io/rev in (1-20,default),tier notin (test),mesh,!old"
    )


def noted(change: dict[str, Any]) -> dict[str, str]:
    annotations = change["metadata"]["annotations"]
    return {key: value for key, value in annotations.items() if value is not None}


def marked(change: dict[str, Any]) -> Mark:
    return Mark.of(deployment(1, rolling(1, 0), **noted(change)))


def test_what_is_noted_is_read_again() -> None:
    assert marked(marks.as_pending("t")) == Mark("t", Progress.PENDING)
    assert marked(marks.as_rolled("t", ["aa", "bb"])) == Mark("t", Progress.ROLLED, ("aa", "bb"))
    assert marked(marks.as_done("t")) == Mark("t", Progress.DONE)
    assert Mark.of(deployment(1, rolling(1, 0))) == Mark()
    assert marked({"metadata": {"annotations": {marks.ROTATION: "t", marks.STATE: "so"}}}) == Mark()


def test_a_deployment_that_another_rotation_has_taken_is_left_to_it() -> None:
    east: Any = SimpleNamespace(context="east")
    workload = Workload("east", east, "shop", "reviews")
    for mark in (Mark(), Mark("t", Progress.PENDING), Mark("t", Progress.DONE)):
        require_own(workload, mark, "t")
    with pytest.raises(RotationStoppedError, match="is part of rotation u now, which was begun"):
        require_own(workload, Mark("u", Progress.PENDING), "t")


@pytest.mark.parametrize(
    ("phase", "metadata", "stays"),
    [
        ("Running", {}, True),
        ("Pending", {}, True),
        ("Failed", {}, False),
        ("Succeeded", {}, False),
        ("Running", {"deletionTimestamp": NOON.isoformat()}, False),
    ],
)
def test_a_pod_that_has_ended_presents_nothing(
    phase: str, metadata: dict[str, Any], stays: bool
) -> None:
    found = read(
        "V1Pod", {"metadata": metadata, "spec": {"containers": []}, "status": {"phase": phase}}
    )
    assert is_there_to_stay(found) is stays


def test_only_the_change_that_rolls_touches_pods() -> None:
    [template] = marks.as_rolled("t", [])["spec"].values()
    assert set(template["metadata"]["annotations"]) == {"kubectl.kubernetes.io/restartedAt"}
    assert "spec" not in marks.as_pending("t")
    assert "spec" not in marks.as_done("t")


def test_the_last_rotation_goes_on_where_it_is_not_complete() -> None:
    done, older, newer = (
        Mark("2026-03", Progress.DONE),
        Mark("2026-01", Progress.PENDING),
        Mark("2026-02", Progress.ROLLED),
    )
    assert open_rotation([older, newer, Mark()]) == "2026-02"
    assert open_rotation([Mark("2026-02", Progress.DONE), newer]) == "2026-02"
    # What was left of one before a later one is complete is of no use to anybody.
    assert open_rotation([done, older, newer, Mark()]) is None
    assert open_rotation([done, Mark()]) is None
    assert open_rotation([]) is None
    assert newer.in_rotation("2026-02") is Progress.ROLLED
    assert newer.in_rotation("2026-01") is None


@pytest.mark.parametrize(
    ("rotation", "old"),
    [
        ("2026-05-31T12:00:00Z", False),
        ("2026-05-31T11:59:59Z", True),
        ("2026-06-01T12:00:00Z", False),
        ("somebody's", True),
    ],
)
def test_a_rotation_of_long_ago_is_not_gone_on_with_unasked(rotation: str, old: bool) -> None:
    assert marks.is_old(rotation, NOON) is old
    assert not marks.is_old(marks.now())


@pytest.mark.parametrize(
    ("unseen", "clusters", "is_in_the_way"),
    [
        ("east", ["east", "west"], True),
        ("management", ["west"], True),
        ("east", ["west"], False),
    ],
)
def test_policies_that_cannot_be_seen_may_be_there(
    unseen: str, clusters: list[str], is_in_the_way: bool
) -> None:
    policies = RestartingPolicies((), {unseen: "forbidden; give the right"})
    lines = policies.objections(clusters)
    assert len(lines) == int(is_in_the_way)
    assert all(unseen in each and "--accept-auto-restart" in each for each in lines)


def test_policies_that_restart_nothing_are_not_in_the_way() -> None:
    assert RestartingPolicies((), {}).objections(["east"]) == []
    [line] = RestartingPolicies(("cluster west: it",), {}).objections(["east"])
    assert line.startswith("autoRestartPods is on in 1 RootTrustPolicies")


def outputs(signing: str, *names: str) -> dict[str, Any]:
    return {
        "rootCertificate": MADE[signing].certificate_pem,
        "roots": [
            {"name": name, "certificate": MADE[name].certificate_pem, "signing": name == signing}
            for name in names
        ],
    }


@pytest.mark.parametrize(
    ("told", "step", "how"),
    [
        (
            outputs("first", "first"),
            "add a generation beside first",
            "list first and a further name in rootGenerations, with first as rootSigning",
        ),
        (
            outputs("first", "first", "2027"),
            "switch from first to 2027",
            "set rootSigning to 2027",
        ),
        (
            outputs("2027", "first", "2027"),
            "retire first, as 2027 signs",
            "take first out of rootGenerations",
        ),
        # The program lists the one that signs first.
        (outputs("2027", "2027", "first"), "retire first, as 2027 signs", "out of rootGenerations"),
        (outputs("2027", "first", "2027", "2028"), "switch from 2027 to 2028", "to 2028"),
        (outputs("2028", "first", "2027", "2028"), "retire first, as 2028 signs", "first"),
    ],
)
def test_the_next_step_follows_from_the_generations(
    told: dict[str, Any], step: str, how: str
) -> None:
    found = next_step(generations_of(told), ORDER[: len(told["roots"])])
    assert str(found) == step
    assert how in found.how


ORDER = ("first", "2027", "2028")


@pytest.mark.parametrize(
    ("order", "signing", "step"),
    [
        # A root that was brought along may be older than the one before it.
        (("2028", "first"), "2028", "switch from 2028 to first"),
        (("2028", "first"), "first", "retire 2028, as first signs"),
        (("first", "2028"), "2028", "retire first, as 2028 signs"),
        # Where the configuration is not the one of the last update, certificates tell.
        (("first",), "2028", "retire first, as 2028 signs"),
        (("2028", "first", "2027"), "first", "switch from first to 2028"),
    ],
)
def test_the_configuration_says_which_generation_follows(
    order: tuple[str, ...], signing: str, step: str
) -> None:
    told = generations_of(outputs(signing, "first", "2028"))
    assert str(next_step(told, order)) == step
    assert str(next_step(told[::-1], order)) == step


def test_a_stack_without_generations_has_one() -> None:
    [only] = generations_of({"rootCertificate": FIRST.certificate_pem})
    assert str(only) == f"first (SHA-256 {fingerprint(FIRST.certificate)})"
    assert only.signing
    with pytest.raises(OperationError, match="has no root yet: run `pulumi up`"):
        generations_of({})


def pod(
    name: str,
    started: datetime | None,
    phase: str = "Running",
    namespace: str = "shop",
    **variables: str,
) -> Any:
    state: dict[str, Any] = {"waiting": {}}
    if started is not None:
        state = {"running": {"startedAt": started.isoformat()}}
    status = {"name": "istio-proxy", "state": state, "image": "", "imageID": "", "ready": True}
    status["restartCount"] = 0
    return read(
        "V1Pod",
        {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "containers": [
                    {"name": "app"},
                    {
                        "name": "istio-proxy",
                        "env": [{"name": key, "value": each} for key, each in variables.items()],
                    },
                ]
            },
            "status": {"phase": phase, "containerStatuses": [status]},
        },
    )


BARE = read(
    "V1Pod",
    {
        "metadata": {"name": "bare", "namespace": "shop"},
        "spec": {"containers": [{"name": "app"}]},
        "status": {"phase": "Running"},
    },
)


def test_a_proxy_without_the_bundle_is_named() -> None:
    takes = pod("takes", NOON, PROXY_CONFIG_XDS_AGENT="true")
    [(state, seen, fix)] = proxies_that_trust_one(
        [takes, pod("plain", NOON), pod("off", NOON, PROXY_CONFIG_XDS_AGENT="false"), BARE], "east"
    )
    assert state is State.FAILED
    assert "2 of 3 pods with Istio's sidecar lack PROXY_CONFIG_XDS_AGENT=true" in seen
    assert seen.endswith("shop/plain, shop/off")
    assert "proxyMetadata" in str(fix)
    assert "DaemonSets of shop: `kubectl --context east -n NAMESPACE rollout restart" in str(fix)
    [(state, seen, fix)] = proxies_that_trust_one(
        [takes, BARE, pod("over", NOON, "Succeeded")], "east"
    )
    assert (state, fix) == (State.OK, None)
    assert "all 1 pods" in seen


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("proxy", "moment", "is_old"),
    [
        (pod("before", NOON - HOUR), NOON + HOUR, True),
        (pod("at that moment", NOON), NOON + HOUR, True),
        (pod("after", NOON + HOUR), NOON + 2 * HOUR, False),
        (pod("renewed by now", NOON - HOUR), NOON + 24 * HOUR, False),
        (pod("not yet renewed", NOON - HOUR), NOON + 23 * HOUR, True),
        (pod("long-lived", NOON - HOUR, SECRET_TTL="72h0m0s"), NOON + 48 * HOUR, True),
        (pod("short-lived", NOON - HOUR, SECRET_TTL="30m"), NOON + HOUR, False),
        (pod("starting", None), NOON + HOUR, False),
        (pod("over", NOON - HOUR, "Failed"), NOON + HOUR, False),
        (BARE, NOON + HOUR, False),
    ],
    ids=lambda each: each.metadata.name if hasattr(each, "metadata") else None,
)
def test_a_pod_that_may_have_a_certificate_of_before_is_named(
    proxy: Any, moment: datetime, is_old: bool
) -> None:
    [(state, seen, fix)] = proxies_with_old_certificates([proxy], NOON, "east", moment)

    assert (state is State.FAILED) is is_old
    assert (f"shop/{proxy.metadata.name}" in seen) is is_old
    assert (fix is not None and "or restart what they belong to" in fix) is is_old


def test_all_that_is_to_be_restarted_is_named_and_istiod_is_not() -> None:
    """istiod's next CA would make all pods old again."""
    pods = [pod(name, NOON, namespace=name) for name in ("shop", "books", "shop")]
    [(_, _, fix)] = proxies_with_old_certificates(pods, NOON, "east", NOON + HOUR)
    assert fix is not None
    assert (
        "restart what they belong to, Deployments, StatefulSets and DaemonSets of books, shop"
        in (fix)
    )
    assert "mesh-trust" not in fix


def istiod(
    *, reason: str = "NewReplicaSetAvailable", grace: int | None = None, seen: int = 3
) -> Any:
    """Its Deployment, whose last rollout was complete at noon."""
    condition = {"type": "Progressing", "status": "True", "reason": reason}
    condition["lastUpdateTime"] = NOON.isoformat()
    pods: dict[str, Any] = {"metadata": {}, "spec": {"containers": [{"name": "discovery"}]}}
    if grace is not None:
        pods["spec"]["terminationGracePeriodSeconds"] = grace
    return read(
        "V1Deployment",
        {
            "metadata": {"name": "istiod", "generation": 3},
            "spec": {"selector": {}, "template": pods},
            "status": {"observedGeneration": seen, "conditions": [condition]},
        },
    )


def chain(since: datetime) -> IstiodChain:
    return IstiodChain("istio-system/istiod-1", "aa", FIRST.certificate, None, since)


@pytest.mark.parametrize(
    ("chains", "deployment", "since"),
    [
        # The pod before signs until it has ended, though the new one has its CA.
        ([chain(NOON - HOUR)], istiod(), NOON + timedelta(seconds=30)),
        ([chain(NOON - HOUR)], istiod(grace=0), NOON),
        ([chain(NOON - HOUR)], istiod(grace=600), NOON + timedelta(minutes=10)),
        # One of its pods came anew without a rollout.
        ([chain(NOON - HOUR), chain(NOON + HOUR)], istiod(grace=0), NOON + HOUR),
        ([chain(NOON - HOUR)], istiod(reason="ReplicaSetUpdated"), None),
        ([chain(NOON - HOUR)], istiod(seen=2), None),
        ([], istiod(), None),
    ],
)
def test_istiod_signs_alone_once_the_pods_before_have_ended(
    chains: list[IstiodChain], deployment: Any, since: datetime | None
) -> None:
    assert signs_alone_since(chains, [deployment]) == since


def test_a_pod_that_starts_beside_the_istiod_before_is_named() -> None:
    """It began after the new istiod had its CA, and before the old one had ended."""
    since = signs_alone_since([chain(NOON - HOUR)], [istiod()])
    between = pod("between", NOON - timedelta(minutes=1))
    [(state, seen, _)] = proxies_with_old_certificates([between], since, "east", NOON + HOUR)
    assert (state, "shop/between" in seen) == (State.FAILED, True)
    [(state, _, _)] = proxies_with_old_certificates(
        [pod("after", NOON + timedelta(minutes=1))], since, "east", NOON + HOUR
    )
    assert state is State.OK


def test_without_istiod_nothing_is_known_of_certificates() -> None:
    [(state, _, _)] = proxies_with_old_certificates([pod("any", NOON)], None, "east")
    assert state is State.UNKNOWN


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("24h0m0s", 86400), ("90m", 5400), ("1.5h", 5400), ("1500ms", 1.5), ("1d", None), ("", None)],
)
def test_durations_are_read_as_istio_reads_them(text: str, seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert go_duration(text) == expected
