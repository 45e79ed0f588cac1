"""RootTrustPolicies in the management cluster, and what Gloo says of them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import client

from lab.lab import Lab

from .inventory import kubernetes_client
from .program import Program

GROUP = ("admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies")


def policies(lab: Lab, cluster: str) -> dict[str, Any]:
    api: Any = client.CustomObjectsApi(kubernetes_client(lab, cluster))
    listed = api.list_namespaced_custom_object(*GROUP)["items"]
    return {each["metadata"]["name"]: each for each in listed}


@contextmanager
def gloo_that_says(lab: Lab, cluster: str, state: str) -> Iterator[None]:
    """Plays the part of Gloo that judges policies: sets `state` on each that has none."""
    api: Any = client.CustomObjectsApi(kubernetes_client(lab, cluster))
    ended = threading.Event()

    def judge() -> None:
        while not ended.wait(0.2):
            for name, policy in policies(lab, cluster).items():
                generation = policy["metadata"]["generation"]
                if policy.get("status", {}).get("observedGeneration") != generation:
                    status = {"observedGeneration": generation, "state": state}
                    api.patch_namespaced_custom_object_status(*GROUP, name, {"status": status})

    thread = threading.Thread(target=judge)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_policies_may_be_in_the_management_cluster(lab: Lab, deployed: Program) -> None:
    own = policies(lab, "east")
    assert set(own) == {"east"}
    deployed.configure(
        rootTrustPolicy={"placement": "management", "awaitSeconds": 60, "orgName": "Example"}
    )
    try:
        with gloo_that_says(lab, "mgmt", "ACCEPTED"):
            deployed.up()
        assert policies(lab, "east") == policies(lab, "west") == {}
        both = policies(lab, "mgmt")
        assert set(both) == {"east", "west"}
        assert both["east"]["spec"] == own["east"]["spec"] | {
            "config": own["east"]["spec"]["config"]
            | {"intermediateCertOptions": {"orgName": "Example"}}
        }
        assert deployed.steps() == {}

        deployed.configure(rootTrustPolicy={"placement": "management", "awaitSeconds": 60})
        started = time.monotonic()
        with gloo_that_says(lab, "mgmt", "INVALID"):
            refused = deployed.attempt("up", "--yes", "--skip-preview")
        assert refused.exit_code != 0
        assert "RootTrustPolicy gloo-mesh/" in refused.output
        assert "INVALID" in refused.output
        assert "Traceback" not in refused.output
        assert time.monotonic() - started < 60, "it does not wait for what time does not mend"
    finally:
        deployed.configure_as_committed()
        deployed.up()
    assert policies(lab, "mgmt") == {}
    assert policies(lab, "east")["east"]["spec"] == own["east"]["spec"]
