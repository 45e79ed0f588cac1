"""Pods, run and looked at with the Kubernetes client."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kubernetes import client, config
from kubernetes.stream import stream

from lab.lab import Lab
from lab.nodes.images import SHELL_IMAGE

POD_SECONDS = 60.0


def api_client(lab: Lab, cluster: str) -> Any:
    """An administrator's client of `cluster`."""
    return config.new_client_from_config(str(lab.directory.kubeconfig), cluster)


def core(lab: Lab, cluster: str) -> Any:
    """The core API of `cluster`; untyped, as its types make every field optional."""
    return client.CoreV1Api(api_client(lab, cluster))


def until(condition: Callable[[], Any], what: str, seconds: float = POD_SECONDS) -> Any:
    """Returns the first answer of `condition` that is true, or fails after a while."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what}: not after {seconds:g} s"
        time.sleep(0.2)
    return answer


def shell_pod(name: str, script: str, **spec: Any) -> dict[str, Any]:
    """A pod that runs a script once."""
    container = {"name": "shell", "image": SHELL_IMAGE, "command": ["/bin/sh", "-ec", script]}
    container |= spec.pop("container", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
            **spec,
        },
    }


@contextmanager
def running(
    lab: Lab, cluster: str, pod: Mapping[str, Any], namespace: str = "default"
) -> Iterator[Any]:
    """Creates a pod, and deletes it in the end; gives the API."""
    api = core(lab, cluster)
    until(lambda: api.list_namespaced_service_account(namespace).items, "a service account")
    api.create_namespaced_pod(namespace, pod)
    try:
        yield api
    finally:
        api.delete_namespaced_pod(pod["metadata"]["name"], namespace)
        until(
            lambda: all(
                each.metadata.name != pod["metadata"]["name"]
                for each in api.list_namespaced_pod(namespace).items
            ),
            "deletion of a pod",
        )


def outcome(
    lab: Lab, cluster: str, pod: Mapping[str, Any], namespace: str = "default"
) -> tuple[str, str]:
    """Runs a pod to its end; its phase, and what it printed."""
    name = pod["metadata"]["name"]
    with running(lab, cluster, pod, namespace) as api:

        def ended() -> Any:
            phase = api.read_namespaced_pod(name, namespace).status.phase
            return phase if phase in ("Succeeded", "Failed") else None

        phase = until(ended, f"end of pod {name}")
        return phase, api.read_namespaced_pod_log(name, namespace)


def execute(
    lab: Lab, cluster: str, pod: str, container: str, script: str, namespace: str = "default"
) -> str:
    """What a script prints in a container of a pod."""
    with api_client(lab, cluster) as api:
        running: Any = stream(
            client.CoreV1Api(api).connect_get_namespaced_pod_exec,
            pod,
            namespace,
            container=container,
            command=["/bin/sh", "-ec", script],
            stdout=True,
            stderr=True,
            _preload_content=False,
        )
        running.run_forever(timeout=POD_SECONDS)
        printed: str = running.read_all()
        # Its own way of closing leaves the socket open once the server has closed.
        running.sock.shutdown()
    return printed.strip()
