from datetime import UTC, datetime, timedelta

import pytest

from mesh_trust import InvalidInputError
from mesh_trust.lifetimes import SECONDS_PER_DAY, MountLifetimes, require_lifetime


def check(asked: int, default: int, maximum: int, left: float) -> None:
    require_lifetime(
        "intermediateLifetimeDays",
        asked,
        MountLifetimes(default * SECONDS_PER_DAY, maximum * SECONDS_PER_DAY),
        datetime.now(UTC) + timedelta(days=left),
    )


@pytest.mark.parametrize(
    ("asked", "default", "maximum", "left", "possible"),
    [
        (91, 90, 90, 3650.5, 90),
        (91, 90, 3650, 3650.5, 90),
        (91, 3650, 90, 3650.5, 90),
        (91, 3650, 3650, 90.9, 90),
        (365, 32, 32, 3650.5, 32),
    ],
)
def test_a_lifetime_that_would_be_cut_is_refused_with_all_numbers(
    asked: int, default: int, maximum: int, left: float, possible: int
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        check(asked, default, maximum, left)
    ends = datetime.now(UTC) + timedelta(days=left)
    assert str(refusal.value) == (
        f"intermediateLifetimeDays: {asked} is not valid; the mesh asks for {asked} days, "
        f"the mount allows {default} days by default and {maximum} days at most, and the root has "
        f"{int(left)} days left (until {ends:%Y-%m-%d}): use {possible} or less"
    )


def test_where_nothing_is_left_no_number_is_proposed() -> None:
    with pytest.raises(InvalidInputError, match=r"the root has 0 days left .*: no lifetime"):
        check(1, 90, 90, -3)


@pytest.mark.parametrize(
    ("asked", "default", "maximum", "left"),
    [(90, 90, 90, 90.01), (90, 90, 3650, 91), (1, 365, 365, 3650)],
)
def test_a_lifetime_that_fits_passes(asked: int, default: int, maximum: int, left: float) -> None:
    check(asked, default, maximum, left)
