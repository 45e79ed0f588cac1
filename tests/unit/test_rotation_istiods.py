"""When an istiod is in the way of a step of the root's rotation, and what is said to do."""

import re
from datetime import UTC, datetime

import pytest

from mesh_trust.operations.finding import State
from mesh_trust.operations.generations import Generation
from mesh_trust.operations.istiod_chain import IstiodChain
from mesh_trust.operations.rotate import intermediates
from mesh_trust.operations.rotation.istiods import judged_chains, takes_several_roots
from mesh_trust.operations.rotation.next_step import NextStep, Step
from tests.certificates import make

FIRST = Generation("first", make().certificate, False)
NEXT = Generation("2027", make().certificate, True)
BOTH = (FIRST, NEXT)
RETIRE = NextStep(Step.RETIRE, FIRST, NEXT)
SWITCH = NextStep(Step.SWITCH, NEXT, FIRST)


def chain(root: Generation | None) -> IstiodChain:
    certificate = None if root is None else root.certificate
    fault = "unable to get local issuer certificate" if root is None else None
    return IstiodChain("istio-system/istiod-1", "aa:bb", certificate, fault, datetime.now(UTC))


@pytest.mark.parametrize(
    ("root", "step", "state"),
    [
        (FIRST, SWITCH, State.OK),
        (NEXT, SWITCH, State.OK),
        (NEXT, RETIRE, State.OK),
        (FIRST, RETIRE, State.FAILED),
        (None, SWITCH, State.FAILED),
        (None, RETIRE, State.FAILED),
    ],
)
def test_a_root_goes_once_no_istiod_signs_below_it(
    root: Generation | None, step: NextStep, state: State
) -> None:
    [(found, seen, fix)] = judged_chains([chain(root)], BOTH, step, "east", "east-admin")
    assert found is state
    assert seen.startswith("istiod's pod istio-system/istiod-1 has CA key aa:bb, below ")
    assert (fix is None) is (state is State.OK)


def test_who_has_another_root_is_told_how_to_get_one() -> None:
    [(_, _, fix)] = judged_chains([chain(FIRST)], BOTH, RETIRE, "east", "east-admin")
    assert fix is not None
    [arguments] = re.findall(r"`mesh-trust rotate intermediates ([^`]+)`", fix)
    # The command takes it.
    assert intermediates.make_context("", arguments.split()).params["clusters"] == ("east",)
    [(_, seen, fix)] = judged_chains([chain(None)], BOTH, RETIRE, "east", "east-admin")
    assert "below none of the stack's roots (unable to get local issuer" in seen
    assert fix == (
        "see what its agent says: `kubectl --context east-admin logs -n istio-system istiod-1 "
        "-c gloo-mesh-istiod-agent`"
    )


def test_without_istiod_somebody_is_to_see_why() -> None:
    [(state, seen, _)] = judged_chains([], BOTH, SWITCH, "east", "east-admin")
    assert (state, "nobody signs" in seen) == (State.WARNING, True)


@pytest.mark.parametrize(
    ("value", "state"),
    [("true", State.OK), ("false", State.FAILED), (None, State.FAILED), ("1", State.FAILED)],
)
def test_an_istiod_that_takes_no_further_root_is_named(value: str | None, state: State) -> None:
    found, seen, fix = takes_several_roots("istiod istio-system/istiod", value)
    assert found is state
    assert "ISTIO_MULTIROOT_MESH=true" in seen
    assert (fix is None) is (state is State.OK)
