"""Deployments: rolled out, not rolled out in time, and what a program may wait for instead."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lab.plugins.provider.values import Properties, reveal_properties
from tests.conformance.harness import PartialError, Plugin, RefusedError, Resource
from tests.conformance.kubernetes.conftest import ConfiguredPlugin
from tests.conformance.kubernetes.server import Server

DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def _deployment(namespace: str, replicas: int, **annotations: str) -> Properties:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "example",
            "namespace": namespace,
            "annotations": {f"pulumi.com/{key}": value for key, value in annotations.items()},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "example"}},
            "template": {
                "metadata": {"labels": {"app": "example"}},
                "spec": {"containers": [{"name": "main", "image": "example.invalid/app:1"}]},
            },
        },
    }


def _status(resource: Resource) -> Any:
    return resource.state["status"]


def test_rolled_out_without_replicas(plugin: Plugin, namespace: str) -> None:
    created = plugin.create(DEPLOYMENT, _deployment(namespace, 0))

    status = _status(created)
    assert status["observedGeneration"] == 1
    assert {"Available", "Progressing"} <= {each["type"] for each in status["conditions"]}


def test_a_change_is_awaited_too(plugin: Plugin, namespace: str) -> None:
    created = plugin.create(DEPLOYMENT, _deployment(namespace, 0))
    changed: Any = _deployment(namespace, 0)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "example.invalid/app:2"

    updated = plugin.update(created, changed)

    metadata: Any = updated.state["metadata"]
    assert metadata["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert _status(updated)["observedGeneration"] == metadata["generation"] == 2


def _report_pods(server: Server, namespace: str, wanted: int, status: Properties) -> None:
    """Say of so many pods, once they are there, what a kubelet would say of them."""
    deadline = time.monotonic() + 15
    while len(pods := server.objects("v1", "Pod", namespace)) < wanted:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for pod in pods[:wanted]:
        server.change(pod, {"status": status}, subresource="/status")


_READY: Properties = {
    "phase": "Running",
    "conditions": [{"type": "Ready", "status": "True"}],
}


def test_rolled_out_once_the_pods_are_ready(plugin: Plugin, server: Server, namespace: str) -> None:
    with ThreadPoolExecutor() as kubelet:
        reported = kubelet.submit(_report_pods, server, namespace, 2, _READY)
        created = plugin.create(DEPLOYMENT, _deployment(namespace, 2, timeoutSeconds="20"))
        reported.result()

    assert _status(created)["readyReplicas"] == 2


def test_enough_pods_for_service_are_not_enough_for_the_rollout(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    with ThreadPoolExecutor() as kubelet:
        # A quarter may be unavailable: three of four make the Deployment available.
        reported = kubelet.submit(_report_pods, server, namespace, 3, _READY)
        with pytest.raises(PartialError) as failed:
            plugin.create(DEPLOYMENT, _deployment(namespace, 4, timeoutSeconds="4"))
        reported.result()

    state: Any = failed.value.state
    assert state["status"]["readyReplicas"] == 3
    assert failed.value.reasons[1:] == [
        "Minimum number of Pods to consider the application live was not attained"
    ]


def test_reasons_tell_what_pods_are_stuck_at(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    waiting: Properties = {"reason": "ImagePullBackOff", "message": "no such image"}
    stuck: Properties = {
        "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Initialized", "status": "True"},
            {"type": "Ready", "status": "False", "reason": "R", "message": "not ready. "},
        ],
        "containerStatuses": [
            {
                "name": "main",
                "image": "i",
                "imageID": "",
                "ready": False,
                "restartCount": 1,
                "state": {"waiting": waiting},
                "lastState": {
                    "terminated": {
                        "exitCode": 3,
                        "reason": "Error",
                        "finishedAt": "2026-01-01T00:00:00Z",
                    }
                },
            }
        ],
    }
    with ThreadPoolExecutor() as kubelet:
        reported = kubelet.submit(_report_pods, server, namespace, 1, stuck)
        with pytest.raises(PartialError) as failed:
            plugin.create(DEPLOYMENT, _deployment(namespace, 1, timeoutSeconds="3"))
        reported.result()

    pod = server.objects("v1", "Pod", namespace)[0]["metadata"]["name"]
    assert failed.value.reasons[-1] == (
        f"[Pod {namespace}/{pod}]: not ready. [ImagePullBackOff] no such image; "
        'container "main" terminated at 2026-01-01T00:00:00Z (Error: exit code 3)'
    )


def test_claims_that_are_not_bound_hold_it_up(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    server.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "unbound", "namespace": namespace},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
    )
    inputs: Any = _deployment(namespace, 0, timeoutSeconds="2")
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "unbound"}}
    inputs["spec"]["template"]["spec"]["volumes"] = [volume]

    with pytest.raises(PartialError) as failed:
        plugin.create(DEPLOYMENT, inputs)

    assert failed.value.reasons[1:] == ['Failed to bind PersistentVolumeClaim(s): "unbound"']


def test_not_rolled_out_in_time_is_a_partial_failure(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    stuck = _deployment(namespace, 1, timeoutSeconds="2")

    with pytest.raises(PartialError) as failed:
        plugin.create(DEPLOYMENT, stuck)

    assert failed.value.id == f"{namespace}/example"
    headline, *reasons = failed.value.reasons
    assert "was successfully created, but" in headline
    assert headline.endswith("'example' timed out waiting to be Ready")
    assert "Minimum number of live Pods was not attained" in reasons
    assert any(reason.startswith("[MinimumReplicasUnavailable]") for reason in reasons)
    state: Any = reveal_properties(failed.value.state)
    assert state["spec"]["replicas"] == 1
    assert state["__inputs"]["spec"]["replicas"] == 1
    assert (
        server.find("apps/v1", "Deployment", namespace, "example")["metadata"]["uid"]
        == (state["metadata"]["uid"])
    )

    # The next run sees no difference, but the engine updates what failed all the same.
    checked = plugin.check(DEPLOYMENT, stuck).inputs
    resource = Resource(DEPLOYMENT, "example", failed.value.id, checked, failed.value.state)
    assert not plugin.diff(resource, stuck).changes
    with pytest.raises(PartialError, match="failed to fully initialize"):
        plugin.update(resource, stuck)
    with pytest.raises(PartialError) as unready:
        plugin.read(resource)
    assert unready.value.reasons[0] == ("Resource 'example' was created but failed to initialize")
    mended = plugin.update(resource, _deployment(namespace, 0))
    assert plugin.read(mended) is not None


def test_waiting_ends_with_the_engine(configured_plugin: ConfiguredPlugin, namespace: str) -> None:
    with configured_plugin({}) as plugin:
        interrupt = threading.Timer(1.0, plugin.cancel)
        interrupt.start()
        with pytest.raises(PartialError, match="Resource operation was cancelled"):
            plugin.create(DEPLOYMENT, _deployment(namespace, 1))
        interrupt.join()


def test_not_awaited_where_the_program_says_so(plugin: Plugin, namespace: str) -> None:
    inputs = _deployment(namespace, 1, skipAwait="true")

    created = plugin.create(DEPLOYMENT, inputs)

    assert plugin.read(created) is not None
    plugin.delete(created)


@pytest.mark.parametrize(
    "awaited",
    [
        "condition=Progressing",
        "condition=available=False",
        "jsonpath={.status.unavailableReplicas}=1",
        "jsonpath={.spec.template.spec.containers[0].name}=main",
        '["condition=Progressing=True", "jsonpath={.status.observedGeneration}"]',
    ],
)
def test_what_the_program_waits_for(plugin: Plugin, namespace: str, awaited: str) -> None:
    inputs = _deployment(namespace, 1, waitFor=awaited, timeoutSeconds="20")

    created = plugin.create(DEPLOYMENT, inputs)

    assert created.id == f"{namespace}/example"


def test_what_the_program_waits_for_in_vain(plugin: Plugin, namespace: str) -> None:
    inputs = _deployment(namespace, 0, waitFor="jsonpath={.status.color}", timeoutSeconds="1")

    with pytest.raises(PartialError, match="timed out waiting for the condition"):
        plugin.create(DEPLOYMENT, inputs)


@pytest.mark.parametrize(
    ("awaited", "reason"),
    [
        ("ready", 'expected a "jsonpath=" or "condition=" prefix'),
        ("[]", "at least one condition"),
        ("jsonpath=.status", "plain keys"),
        ("jsonpath={.status.conditions[?(@.type=='Ready')]}", "plain keys"),
    ],
)
def test_what_cannot_be_waited_for(
    plugin: Plugin, server: Server, namespace: str, awaited: str, reason: str
) -> None:
    with pytest.raises(RefusedError, match=reason):
        plugin.create(DEPLOYMENT, _deployment(namespace, 0, waitFor=awaited))

    assert server.find("apps/v1", "Deployment", namespace, "example") is None


def test_bound_to_a_claim_that_is_not_there_yet(plugin: Plugin, namespace: str) -> None:
    inputs: Any = _deployment(namespace, 0)
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "not-there"}}
    inputs["spec"]["template"]["spec"]["volumes"] = [volume]

    created = plugin.create(DEPLOYMENT, inputs)

    assert not plugin.diff(created, inputs).changes
