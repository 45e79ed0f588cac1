"""From when on a certificate is worth a word."""

import pytest

from mesh_trust.operations.certificates import Thresholds, first_to_end
from mesh_trust.operations.finding import State
from tests.certificates import Recipe, make


@pytest.mark.parametrize(
    ("starts", "ends", "state"),
    [
        (-10, 355, State.OK),
        (-336, 29, State.WARNING),
        (-334, 31, State.OK),
        # A third of a short life is less than 30 days.
        (-0.5, 0.5, State.OK),
        (-0.7, 0.3, State.WARNING),
        (-10, -0.01, State.FAILED),
    ],
)
def test_what_is_left_is_judged(starts: float, ends: float, state: State) -> None:
    certificate = make(Recipe(starts=starts, ends=ends)).certificate

    finding = Thresholds().judge("check", "subject", "it", certificate, "renew it")

    assert finding.state is state
    assert (finding.fix is None) is (state is State.OK)


def test_thresholds_can_be_others() -> None:
    certificate = make(Recipe(starts=-1, ends=100)).certificate

    def state(thresholds: Thresholds) -> State:
        return thresholds.judge("check", "subject", "it", certificate, "renew it").state

    assert state(Thresholds(warn_days=101)) is State.OK
    assert state(Thresholds(warn_days=101, warn_share=1)) is State.WARNING
    assert state(Thresholds(fail_days=101)) is State.FAILED
    assert state(Thresholds(fail_days=99)) is State.OK


def test_of_a_bundle_the_first_to_end_counts_that_has_not() -> None:
    gone, soon, late = (make(Recipe(starts=-9, ends=ends)).certificate for ends in (-1, 1, 9))

    assert first_to_end([gone, late, soon]) == soon
    assert first_to_end([gone]) == gone
