from collections.abc import Sequence

import pytest

from lab.plugins.kubernetes.cluster import Cluster
from lab.plugins.kubernetes.readiness import NotReady, Observation, Readiness, Waiting, fetch
from lab.plugins.provider.values import Properties
from tests.plugins.kubernetes.scripted_server import RESET, scripted_cluster

WRITTEN: Properties = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "default"},
}
READY: Properties = {**WRITTEN, "data": {"ready": "yes"}}


def failing(status: int) -> tuple[int, Properties]:
    return status, {"message": f"status {status}, says the server"}


def observe(cluster: Cluster, written: Properties) -> Observation:
    live = fetch(cluster, written)
    return Observation(live, "data" in live, ("it has no data",))


def wait(answers: Sequence[tuple[int, Properties]], seconds: float = 30) -> Properties:
    readiness = Readiness(observe, late="{name} is late", limit_seconds=seconds)
    with scripted_cluster(answers) as cluster:
        return Waiting().until_ready(
            cluster, readiness, inputs=WRITTEN, written=WRITTEN, custom_timeout=0
        )


@pytest.mark.parametrize("status", [429, 500, 503, RESET])
def test_a_server_that_fails_for_a_moment_is_asked_again(status: int) -> None:
    assert wait([(200, WRITTEN), failing(status), failing(status), (200, READY)]) == READY


@pytest.mark.parametrize("status", [403, 404])
def test_an_error_that_stays_ends_the_waiting(status: int) -> None:
    with pytest.raises(NotReady) as ended:
        wait([failing(status), (200, READY)])
    assert ended.value.reasons == (f"status {status}, says the server",)


def test_the_last_failure_is_told_when_time_is_over() -> None:
    with pytest.raises(NotReady) as ended:
        wait([(200, WRITTEN), failing(503)], seconds=1)
    assert ended.value.reasons == (
        "settings is late",
        "it has no data",
        "the API server's last failure: status 503, says the server",
    )
    assert ended.value.live == WRITTEN


def test_a_failure_that_passed_is_not_told() -> None:
    with pytest.raises(NotReady) as ended:
        wait([failing(503), (200, WRITTEN)], seconds=1)
    assert ended.value.reasons == ("settings is late", "it has no data")


def test_a_deletion_is_awaited_past_a_failure() -> None:
    with scripted_cluster([failing(503), (RESET, {}), (200, WRITTEN), failing(404)]) as cluster:
        Waiting().until_gone(cluster, WRITTEN, "", seconds=30)


def test_a_deletion_that_cannot_be_followed_tells_why() -> None:
    with (
        scripted_cluster([(200, WRITTEN), failing(500)]) as cluster,
        pytest.raises(NotReady) as ended,
    ):
        Waiting().until_gone(cluster, WRITTEN, "", seconds=1)
    assert ended.value.reasons[-1] == "the API server's last failure: status 500, says the server"
