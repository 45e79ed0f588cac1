"""Each reason why an installed Vault is not ready, read from a real API server."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.toolchain import Toolchain
from mesh_trust.readiness import Obstacle, Ready
from mesh_trust.vault_pod import last_error, pod_obstacle

from .conftest import DevelopmentVault
from .installed import IMAGE, NAME, InstalledVault


def expect(found: Obstacle, reason: str, advice: str, patience_seconds: float) -> None:
    assert re.search(reason, found.reason), found.reason
    assert re.search(advice, found.advice), found.advice
    assert found.patience_seconds == patience_seconds
    assert "\n" not in found.reason + found.advice


ALWAYS = float("inf")


@pytest.fixture
def started(installed: InstalledVault) -> InstalledVault:
    """A Vault whose pod is on its node, and of which no kubelet has said anything."""
    installed.stateful_set()
    installed.service()
    installed.schedule()
    return installed


def test_without_a_stateful_set(installed: InstalledVault) -> None:
    found = installed.look()

    assert isinstance(found, Obstacle)
    expect(
        found,
        f"^StatefulSet {installed.namespace}/vault does not exist, though its release does$",
        f"`helm --kube-context conformance get manifest -n {installed.namespace} vault`",
        15,
    )


def test_scaled_to_nothing(installed: InstalledVault) -> None:
    installed.stateful_set(replicas=0)

    expect(installed.look_until("scaled down"), "is scaled to 0 pods", "kubectl .* scale", 15)


def test_a_pod_that_may_not_be_made(installed: InstalledVault) -> None:
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    installed.core.create_namespaced_resource_quota(installed.namespace, quota)
    installed.stateful_set()

    expect(
        installed.look_until("pod refused"),
        r"^pod \S+/vault-0 cannot be made: create Pod vault-0 .* exceeded quota: none",
        "quotas .* `kubectl --context conformance describe statefulset",
        ALWAYS,
    )


def test_a_pod_without_a_host(installed: InstalledVault) -> None:
    installed.stateful_set()
    installed.pod()

    expect(
        installed.look_until("no host"),
        r"^pod \S+/vault-0 has no node yet, and no scheduler has said anything about it$",
        "kubectl --context conformance get nodes",
        ALWAYS,
    )


def test_a_pod_that_no_node_takes(installed: InstalledVault) -> None:
    installed.stateful_set()
    message = "0/1 nodes are available: 1 Insufficient memory.\npreemption: not helpful."
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
    }
    installed.status(phase="Pending", conditions=[condition])

    expect(
        installed.look_until("unscheduled"),
        r"^pod \S+/vault-0 is pending: 0/1 nodes are available: 1 Insufficient memory\. "
        "preemption: not helpful$",
        r"server\.resources.*`kubectl --context conformance describe pod -n \S+ vault-0`",
        ALWAYS,
    )


def test_a_pod_without_its_volume(installed: InstalledVault) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "absent",
        },
    }
    installed.stateful_set(volumeClaimTemplates=[claim])
    installed.pod()

    expect(
        installed.look_until("volume", "not found"),
        r"^pod \S+/vault-0 is pending: it needs the volume of claim \S+/data-vault-0, "
        r'which is Pending: storageclass\S* "absent" not found$',
        "default StorageClass.*describe persistentvolumeclaim -n .* data-vault-0",
        ALWAYS,
    )


@pytest.mark.parametrize(
    ("reason", "patience_seconds"),
    [
        ("ErrImagePull", 60),
        ("ImagePullBackOff", 60),
        ("InvalidImageName", 0),
        ("ErrImageNeverPull", 0),
    ],
)
def test_an_image_that_cannot_be_had(
    started: InstalledVault, reason: str, patience_seconds: float
) -> None:
    waiting = {"reason": reason, "message": "not\nto be found."}
    started.report("Pending", state={"waiting": waiting})

    expect(
        started.look_until("image"),
        rf"^pod \S+/vault-0 gets no image {IMAGE} \({reason}: not to be found\)$",
        r"^correct server\.image in values",
        patience_seconds,
    )


def test_a_container_that_cannot_be_made(started: InstalledVault) -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "ca" not found'}
    started.report("Pending", state={"waiting": waiting})

    expect(
        started.look_until("container"),
        r'^container vault of pod \S+ cannot be made \(CreateContainerConfigError: secret "ca"',
        "^correct values",
        60,
    )


CRASHED = {"terminated": {"exitCode": 1, "reason": "Error"}}
KILLED = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}


@pytest.mark.parametrize(
    ("state", "last_state", "told", "is_previous"),
    [
        (CRASHED, {}, "exit code 1,", False),
        (BACK_OFF, KILLED, r"exit code 137 \(OOMKilled\),", True),
        ({"running": {}}, CRASHED, "exit code 1,", True),
    ],
)
def test_a_container_that_crashes(
    started: InstalledVault,
    state: dict[str, Any],
    last_state: dict[str, Any],
    told: str,
    is_previous: bool,
) -> None:
    started.report("Running", state=state, lastState=last_state, restartCount=3)

    found = started.look_until("crash")
    expect(
        found,
        rf"^container vault of pod \S+/vault-0 ended with {told} restarts so far: 3$",
        "may hold the root token: `kubectl --context conformance logs -n .* vault-0 -c vault",
        60,
    )
    assert ("--previous" in found.advice) == is_previous


def test_a_pod_that_its_node_does_not_start(started: InstalledVault) -> None:
    expect(
        started.look_until("starting"),
        rf"^pod \S+/vault-0 is being started on node {started.namespace}$",
        "describe pod",
        ALWAYS,
    )
    started.event(started.pod(), "Pod", "FailedScheduling", "an older complaint")
    started.event(started.pod(), "Pod", "FailedMount", 'secret "tls" not found')

    assert started.look_until("not started").reason.endswith(': secret "tls" not found')


def test_a_pod_that_is_not_ready(started: InstalledVault) -> None:
    started.report("Running", state={"running": {}})
    started.event(started.pod(), "Pod", "FailedMount", "an older complaint")

    assert started.look_until("not ready").reason.endswith("vault-0 runs and is not ready yet")
    started.event(started.pod(), "Pod", "Unhealthy", "Readiness probe failed: no answer")
    expect(
        started.look_until("probe"),
        r"^pod \S+/vault-0 runs and is not ready yet: Readiness probe failed: no answer$",
        "describe pod",
        ALWAYS,
    )


@pytest.mark.parametrize(
    ("labelled", "probed", "kind", "command"),
    [
        ("true", None, "sealed", "unseal"),
        ("false", "false", "uninitialised", "init"),
        # As of a server that has started again.
        ("false", "true", "sealed", "unseal"),
        ("false", None, "not ready", None),
        (None, "true", "sealed", "unseal"),
        # An event may be of before.
        ("true", "false", "sealed", "unseal"),
    ],
)
def test_a_vault_that_says_that_it_is_sealed(
    started: InstalledVault,
    labelled: str | None,
    probed: str | None,
    kind: str,
    command: str | None,
) -> None:
    started.report("Running", state={"running": {}})
    if labelled is not None:
        labels = {"vault-initialized": labelled, "vault-sealed": "true"}
        started.core.patch_namespaced_pod(
            f"{NAME}-0", started.namespace, {"metadata": {"labels": labels}}
        )
    if probed is not None:
        status = f"Readiness probe failed: Initialized   {probed}\nSealed    true\n"
        started.event(started.pod(), "Pod", "Unhealthy", status)

    found = started.look_until(kind)
    if command is not None:
        expect(
            found,
            r"^Vault in pod \S+/vault-0 is (not initialised|sealed)$",
            f"^run `mesh-trust vault {command} .*--keys-file FILE",
            ALWAYS,
        )


def test_a_pod_that_was_evicted(started: InstalledVault) -> None:
    # Looked at as it is written: the controller makes another one at once.
    pod = started.status(phase="Failed", reason="Evicted", message="The node was low on memory.")

    found = pod_obstacle(started.access, pod)
    assert found is not None
    expect(found, r"^pod \S+/vault-0 has failed: The node was low on memory$", "describe pod", 60)


def test_a_service_that_is_gone(started: InstalledVault) -> None:
    started.report("Running", ready=True, state={"running": {}})
    assert started.address() is None
    started.core.delete_namespaced_service(NAME, started.namespace)

    expect(started.look_until("Service"), "^Service .*/vault does not exist", "target-replace", 15)
    assert started.address() is None


def test_a_service_without_an_address(started: InstalledVault) -> None:
    started.report("Running", ready=True, state={"running": {}})

    expect(
        started.look_until("load balancer"),
        r"^Service \S+/vault has no load balancer address yet$",
        "describe service -n .* vault`; or choose another service type",
        ALWAYS,
    )
    service = started.core.read_namespaced_service(NAME, started.namespace)
    started.event(service, "Service", "SyncLoadBalancerFailed", "no address is free")
    assert started.look_until("load balancer refused").reason.endswith("yet: no address is free")


def test_an_address_that_does_not_answer(started: InstalledVault) -> None:
    started.port = 1
    started.report("Running", ready=True, state={"running": {}})
    started.load_balancer(ip="127.0.0.1")

    expect(
        started.look_until("address"),
        r"^Vault does not answer at http://127\.0\.0\.1:1 \(Connection refused\)$",
        "curl -v http://127.0.0.1:1/v1/sys/health",
        ALWAYS,
    )


@pytest.mark.parametrize("ingress", [{"ip": "127.0.0.1"}, {"hostname": "localhost"}])
def test_a_vault_that_answers(
    started: InstalledVault, development_vault: DevelopmentVault, ingress: dict[str, str]
) -> None:
    started.port = development_vault.port
    started.report("Running", ready=True, state={"running": {}})
    started.load_balancer(**ingress)

    (host,) = ingress.values()
    assert started.address() == f"http://{host}:{development_vault.port}"
    assert started.look_until_ready() == Ready(f"http://{host}:{development_vault.port}")


@pytest.mark.parametrize("service_type", ["ClusterIP", "NodePort"])
def test_a_service_inside_the_cluster_is_not_asked(
    installed: InstalledVault, service_type: str
) -> None:
    installed.service(service_type)
    assert installed.address() == f"http://vault.{installed.namespace}.svc:8200"
    installed.stateful_set()
    installed.schedule()
    installed.look_until("starting")
    installed.report("Running", ready=True, state={"running": {}})

    assert installed.look_until_ready() == Ready(f"http://vault.{installed.namespace}.svc:8200")


def test_an_upgrade_waits_for_the_pod_to_be_deleted(installed: InstalledVault) -> None:
    installed.stateful_set()
    installed.service("ClusterIP")
    installed.run()
    assert installed.look_until_ready().remark is None

    installed.upgrade(f"{IMAGE}-next")
    ready = installed.look_until_ready()
    assert ready.result == f"http://vault.{installed.namespace}.svc:8200"
    assert ready.remark is not None
    assert re.search(
        "vault-0 still runs as before the last upgrade.*"
        f"`kubectl --context conformance delete pod -n {installed.namespace} vault-0`.*"
        "forgotten everything, which `pulumi refresh` sees and `pulumi up` mends",
        ready.remark,
    )

    installed.core.delete_namespaced_pod(f"{NAME}-0", installed.namespace)
    installed.look_until("no host")
    installed.run()
    assert installed.look_until_ready() == Ready(f"http://vault.{installed.namespace}.svc:8200")


def test_a_correction_does_not_reach_a_pod_that_is_there(started: InstalledVault) -> None:
    started.report("Pending", state={"waiting": {"reason": "ImagePullBackOff"}})
    started.upgrade(f"{IMAGE}-next")

    expect(
        started.look_until("image", "before the last upgrade"),
        r"ImagePullBackOff\); and this pod is still that of before the last upgrade$",
        f"^have it made anew: `kubectl --context conformance delete pod -n {started.namespace}",
        15,
    )


@pytest.mark.parametrize(
    ("is_scheduled", "kind", "patience_seconds"), [(False, "no host", 15), (True, "starting", 60)]
)
def test_patience_with_a_pod_of_before(
    installed: InstalledVault, is_scheduled: bool, kind: str, patience_seconds: float
) -> None:
    installed.stateful_set()
    installed.pod()
    if is_scheduled:
        installed.schedule()
    assert installed.look_until(kind).patience_seconds == ALWAYS

    installed.upgrade(f"{IMAGE}-next")

    found = installed.look_until(kind, "before the last upgrade")
    assert found.patience_seconds == patience_seconds


def test_a_rolling_update_is_waited_for(installed: InstalledVault) -> None:
    installed.stateful_set(updateStrategy={"type": "RollingUpdate"})
    installed.service("ClusterIP")
    installed.run()
    installed.look_until_ready()
    keep = {"metadata": {"finalizers": ["test/keep"]}}
    installed.core.patch_namespaced_pod(f"{NAME}-0", installed.namespace, keep)

    installed.upgrade(f"{IMAGE}-next")

    expect(installed.look_until("pod of before"), "is on its way out", "a finalizer", ALWAYS)
    installed.core.patch_namespaced_pod(
        f"{NAME}-0", installed.namespace, {"metadata": {"finalizers": None}}
    )
    installed.look_until("no host")


def test_the_pod_of_an_earlier_release_is_not_ours(installed: InstalledVault) -> None:
    installed.stateful_set()
    installed.service("ClusterIP")
    installed.run()
    installed.look_until_ready()

    # Without its pod, as when a release is made anew while the old pod ends.
    installed.apps.delete_namespaced_stateful_set(
        NAME, installed.namespace, propagation_policy="Orphan"
    )
    installed.look_until("StatefulSet")
    installed.stateful_set(selector={"matchLabels": {"other": "labels"}}, **OTHER)

    expect(installed.look_until("pod of before"), "vault-0 is on its way out", "what keeps", ALWAYS)


OTHER = {
    "template": {
        "metadata": {"labels": {"other": "labels"}},
        "spec": {"containers": [{"name": "vault", "image": IMAGE}]},
    }
}


def test_no_secret_of_a_development_server_is_told(development_vault: DevelopmentVault) -> None:
    log = development_vault.log.read_text()
    unseal_key = log.partition("Unseal Key: ")[2].split()[0]
    assert development_vault.token in log

    # All the lines as if each told of an error: what comes out of them has no secret still.
    for line in log.splitlines():
        told = last_error(f"[ERROR] {line}")
        assert told is not None
        assert development_vault.token not in told
        assert unseal_key not in told


def test_why_a_server_did_not_start_is_told(
    toolchain: Toolchain, development_vault: DevelopmentVault, tmp_path: Path
) -> None:
    # Its port is taken.
    address = f"127.0.0.1:{development_vault.port}"
    ended = subprocess.run(
        [toolchain["vault"].path, "server", "-dev", f"-dev-listen-address={address}"],
        env={"HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 1
    assert last_error(ended.stdout) == (
        "Error initializing listener of type tcp: "
        f"listen tcp {address}: bind: address already in use"
    )
