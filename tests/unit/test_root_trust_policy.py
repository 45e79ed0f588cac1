"""The component: what it registers, and when it waits."""

from typing import Any, ClassVar

import pulumi
import pytest

from mesh_trust import RootTrustPolicy
from mesh_trust.cluster_errors import ClusterSilentError
from mesh_trust.readiness import Obstacle
from mesh_trust.root_trust_policy_status import READS, PolicyInCluster, said_in
from tests.root_trust_policies import ORDINARY

from .conftest import Recorder, run

POLICY = "kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy"


class Provider(Recorder):
    """A recorder that answers with a uid, as API servers do."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        made, outputs = super().new_resource(args)
        if args.typ == POLICY:
            outputs["metadata"] = {**outputs["metadata"], "uid": "the-uid"}
        return made, outputs


class PolicySeen:
    """Stands in for the client that looks into the cluster."""

    connections: ClassVar[list[tuple[Any, ...]]] = []
    states: ClassVar[list[str]] = []
    kubectl, host = "kubectl", "https://cluster"

    def __init__(self, *connection: Any) -> None:
        self.connections.append(connection)

    def custom_object(self, *place: str) -> dict[str, Any]:
        assert place == ("admin.gloo.solo.io/v2", "roottrustpolicies", "gloo-mesh", "east")
        return seen({"state": self.states.pop(0), "observedGeneration": 3})


def seen(status: dict[str, Any] | None) -> dict[str, Any]:
    return {"metadata": {"uid": "the-uid", "generation": 3}, "status": status}


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> type[PolicySeen]:
    PolicySeen.connections.clear()
    monkeypatch.setattr("mesh_trust.root_trust_policy.ClusterAccess", PolicySeen)
    return PolicySeen


@pytest.fixture
def provider() -> Provider:
    return engine(preview=False)


def engine(*, preview: bool) -> Provider:
    provider = Provider()
    pulumi.runtime.set_mocks(provider, project="mesh-trust", stack="unit", preview=preview)
    return provider


def register(name: str = "trust", **changes: Any) -> pulumi.Output[str]:
    return RootTrustPolicy(name, {**ORDINARY, **changes}).policy_id  # type: ignore[typeddict-item]


def test_nothing_is_looked_at_where_nobody_asks_for_it(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    assert run(register) == "trust-policy-id"
    assert provider.types() == ["mesh-trust:index:RootTrustPolicy", POLICY]
    assert PolicySeen.connections == []
    assert caplog.records == []


def test_policies_of_several_clusters_can_be_in_one(provider: Provider) -> None:
    def program() -> pulumi.Output[Any]:
        return pulumi.Output.all(
            register("east"), register("west", cluster="west"), register("b", policy_name="blue")
        )

    run(program)
    named = {key: made["metadata"] for key, made in provider.of_type(POLICY).items()}
    assert named == {
        "east-policy": {"name": "east", "namespace": "gloo-mesh"},
        "west-policy": {"name": "west", "namespace": "gloo-mesh"},
        "b-policy": {"name": "blue", "namespace": "gloo-mesh"},
    }


@pytest.mark.usefixtures("provider")
def test_restarting_all_workloads_is_warned_of_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run(lambda: register(auto_restart_pods=True))
    [warning] = caplog.records
    assert warning.levelname == "WARNING"
    assert warning.getMessage().startswith(
        "RootTrustPolicy gloo-mesh/east lets Gloo restart all workloads of its meshes at once"
    )
    assert "\n" not in warning.getMessage()


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("wait", "connection"),
    [
        ({}, (None, None, READS)),
        ({"kubeconfig": "/kubeconfig", "context": "mgmt"}, ("/kubeconfig", "mgmt", READS)),
    ],
)
def test_the_id_is_known_once_the_policy_is_accepted(
    wait: dict[str, str], connection: tuple[str | None, ...]
) -> None:
    PolicySeen.states[:] = ["PENDING", "ACCEPTED"]
    assert run(lambda: register(await_status=wait)) == "trust-policy-id"
    assert PolicySeen.states == []
    assert PolicySeen.connections == [connection]


@pytest.mark.usefixtures("provider")
def test_a_policy_that_is_invalid_fails_the_run() -> None:
    PolicySeen.states[:] = ["INVALID"]
    with pytest.raises(pulumi.RunError, match=r"^RootTrustPolicy gloo-mesh/east is not ready "):
        run(lambda: register(await_status={}))


@pytest.mark.usefixtures("provider")
def test_a_warning_of_gloos_is_one_of_the_run(caplog: pytest.LogCaptureFixture) -> None:
    PolicySeen.states[:] = ["WARNING"]
    assert run(lambda: register(await_status={})) == "trust-policy-id"
    [warning] = caplog.records
    assert warning.levelname == "WARNING"
    assert "accepted with a WARNING" in warning.getMessage()


def test_a_preview_waits_for_nothing() -> None:
    provider = engine(preview=True)
    assert run(lambda: register(await_status={})) == "trust-policy-id"
    assert PolicySeen.connections == []
    assert POLICY in provider.types()


@pytest.mark.usefixtures("provider")
def test_a_secret_kubeconfig_makes_no_secret_of_the_id() -> None:
    PolicySeen.states[:] = ["ACCEPTED"]

    def program() -> pulumi.Output[Any]:
        made = register(await_status={"kubeconfig": pulumi.Output.secret("users: []\n")})
        return pulumi.Output.all(made, made.is_secret())

    assert run(program) == ["trust-policy-id", False]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, ""),
        ({"message": "no such\n Secret."}, "no such Secret"),
        (
            {"conditions": [{"type": "Ready"}, {"message": "one"}, {"message": "two"}]},
            "one; two",
        ),
        ({"message": " ", "conditions": None}, ""),
        ({"message": {"text": "x"}}, ""),
    ],
)
def test_the_words_of_a_status(status: dict[str, Any], said: str) -> None:
    assert said_in(status) == said


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (None, "Gloo has written no status yet"),
        (
            {"state": "ACCEPTED"},
            "Gloo has looked at generation None only (ACCEPTED), and this is generation 3",
        ),
        (
            {"state": "PENDING", "observedGeneration": 3, "message": "later"},
            "it is PENDING: later",
        ),
        (
            {"state": "FAILED", "observedGeneration": 3, "conditions": [{"message": "no space."}]},
            "it is FAILED: it is correct, but Gloo ran into an error when it put it into effect: "
            "no space",
        ),
        ({"state": "ODD", "observedGeneration": 3}, "it is ODD"),
    ],
)
def test_what_is_in_the_way(status: Any, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PolicySeen, "custom_object", lambda *_: seen(status))
    found = policy().look()
    assert isinstance(found, Obstacle)
    assert found.reason == reason
    assert "`kubectl describe roottrustpolicies.admin.gloo.solo.io -n gloo-mesh east`" in (
        found.advice
    )


def test_a_cluster_that_is_silent_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> None:
        raise ClusterSilentError("it sleeps")

    monkeypatch.setattr(PolicySeen, "custom_object", silent)
    found = policy().look()
    assert isinstance(found, Obstacle)
    assert found.reason == "the cluster cannot be asked: it sleeps"


def policy() -> PolicyInCluster:
    access: Any = PolicySeen()
    return PolicyInCluster(access, "gloo-mesh", "east", "the-uid")
