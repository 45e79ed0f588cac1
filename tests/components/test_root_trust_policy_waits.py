"""The wait within the real engine, for a policy that the provider makes on a real API server."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pulumi import automation

from lab.directory import LabDirectory
from lab.toolchain import Toolchain
from mesh_trust import RootTrustPolicy
from tests.conformance.kubernetes.conftest import CLUSTER
from tests.engine import engine_command, prepare_engine, stack_of_program
from tests.root_trust_policies import ORDINARY

from .gloo import NAME, GlooHand

AFTER = "after-the-policy"
"""A ConfigMap that is made from the policy's id."""
BESIDE = "beside-the-policy"
"""One that depends on the component."""


@pytest.fixture(scope="module")
def engine(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> LabDirectory:
    return prepare_engine(tmp_path_factory.mktemp("engine"), toolchain)


class Trust:
    """A stack with a policy, and something that needs it."""

    def __init__(self, gloo: GlooHand) -> None:
        self._gloo = gloo
        self.policy: dict[str, Any] = {}
        self.wait: dict[str, Any] = {
            "kubeconfig": str(gloo.kubeconfig),
            "context": CLUSTER,
            "timeout_seconds": 60,
        }
        self.stack: automation.Stack
        self.waiting = threading.Event()
        """Set once an update says that there is no status."""

    def program(self) -> None:
        provider = kubernetes.Provider(
            "cluster", kubeconfig=str(self._gloo.kubeconfig), context=CLUSTER
        )
        args: Any = {
            **ORDINARY,
            "namespace": self._gloo.namespace,
            "await_status": self.wait,
            **self.policy,
        }
        trust = RootTrustPolicy("trust", args, opts=pulumi.ResourceOptions(providers=[provider]))
        kubernetes.core.v1.ConfigMap(
            AFTER,
            metadata={"name": AFTER, "namespace": self._gloo.namespace},
            data={"policy": trust.policy_id},
            opts=pulumi.ResourceOptions(provider=provider),
        )
        kubernetes.core.v1.ConfigMap(
            BESIDE,
            metadata={"name": BESIDE, "namespace": self._gloo.namespace},
            opts=pulumi.ResourceOptions(provider=provider, depends_on=[trust]),
        )
        pulumi.export("policy_id", trust.policy_id)

    def up(self) -> tuple[str, dict[str, Any]]:
        """What is printed, and the outputs."""
        self.waiting.clear()
        done = self.stack.up(on_output=self._read)
        return done.stdout, {name: each.value for name, each in done.outputs.items()}

    def refusal(self) -> str:
        """What is printed by an update that fails."""
        with pytest.raises(automation.CommandError) as failed:
            self.stack.up()
        return str(failed.value)

    def _read(self, text: str) -> None:
        if "Gloo has written no status yet" in text:
            self.waiting.set()

    def config_maps(self) -> dict[str, Any]:
        """Data of those that the stack has made, by name."""
        found = self._gloo.core.list_namespaced_config_map(self._gloo.namespace).items
        made = {each.metadata.name: each.data for each in found}
        return {name: data for name, data in made.items() if name in (AFTER, BESIDE)}


@pytest.fixture
def trust(gloo: GlooHand, engine: LabDirectory, tmp_path: Path) -> Iterator[Trust]:
    trust = Trust(gloo)
    command = engine_command(engine, tmp_path)
    with stack_of_program(engine, command, "trust", gloo.namespace, trust.program) as stack:
        trust.stack = stack
        yield trust


def meanwhile(act: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_what_needs_the_policy_comes_when_it_is_accepted(gloo: GlooHand, trust: Trust) -> None:
    preview = trust.stack.preview()
    assert "is not ready" not in preview.stdout
    assert preview.change_summary == {automation.OpType.CREATE: 6}

    before: list[Any] = []

    def accept() -> None:
        assert trust.waiting.wait(60)
        deadline = time.monotonic() + 30
        while not trust.config_maps() and time.monotonic() < deadline:
            time.sleep(0.1)
        before.append(trust.config_maps())
        gloo.judge("ACCEPTED")

    accepting = meanwhile(accept)
    output, outputs = trust.up()
    accepting.join()

    policy_id = f"{gloo.namespace}/{NAME}"
    assert re.search(rf"RootTrustPolicy {policy_id} is ready after \d+ s: ACCEPTED", output)
    assert before == [{BESIDE: None}]
    assert trust.config_maps() == {AFTER: {"policy": policy_id}, BESIDE: None}
    assert outputs == {"policy_id": policy_id}

    # Nothing is said, and nothing changed, where Gloo accepted it long ago.
    again, _ = trust.up()
    assert "is ready after" not in again
    assert trust.stack.preview().change_summary == {automation.OpType.SAME: 6}

    # A change is a new generation, and has to be accepted anew.
    trust.policy = {"auto_restart_pods": True}
    refusing = meanwhile(lambda: _refuse_generation(gloo, 2))
    line = _line(trust.refusal())
    refusing.join()
    assert "lets Gloo restart all workloads" in trust.stack.preview().stdout
    assert re.match(rf"RootTrustPolicy {policy_id} is not ready after \d+ s: it is INVALID: ", line)
    assert line.endswith(f"describe roottrustpolicies.admin.gloo.solo.io -n {gloo.namespace} east`")


def test_a_policy_that_gloo_does_not_look_at_is_not_waited_for_endlessly(trust: Trust) -> None:
    trust.wait["timeout_seconds"] = 1
    line = _line(trust.refusal())

    assert "after 1 s: Gloo has written no status yet; see that Gloo's management server" in line
    assert AFTER not in trust.config_maps()


def test_a_kubeconfig_that_leads_to_another_policy(gloo: GlooHand, trust: Trust) -> None:
    """Of the same name, in what stands for another cluster: the uid alone tells."""
    trust.wait["timeout_seconds"] = 1
    trust.refusal()
    gloo.delete()
    gloo.create()
    gloo.judge("ACCEPTED")

    assert "await_status.context: 'https://" in trust.refusal()
    assert AFTER not in trust.config_maps()


def _refuse_generation(gloo: GlooHand, generation: int) -> None:
    while gloo.read()["metadata"]["generation"] < generation:
        time.sleep(0.05)
    gloo.judge("INVALID")


def _line(printed: str) -> str:
    """The one line by which an update gives up."""
    found = {
        line[line.index("RootTrustPolicy ") :].strip()
        for line in printed.splitlines()
        if " is not ready after " in line
    }
    assert len(found) == 1, printed
    return found.pop()
