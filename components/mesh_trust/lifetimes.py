"""How long intermediates are to live, against what would cut them short."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .validation import InvalidInputError

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class MountLifetimes:
    """What a mount allows, in seconds."""

    default_seconds: int
    """What a request gets that names no lifetime."""
    maximum_seconds: int
    """The most that a request gets."""

    @classmethod
    def signing(cls, days: int, longest_days: int = 0) -> "MountLifetimes":
        """Those of a mount that signs for `days`, and makes what lives for `longest_days`.

        Vault cuts the root that it makes itself to the mount's maximum, too.
        """
        return cls(days * SECONDS_PER_DAY, max(days, longest_days) * SECONDS_PER_DAY)


def require_lifetime(
    field: str,
    asked_days: int,
    mount: MountLifetimes,
    ends: datetime,
    what_ends: str = "the root",
) -> None:
    """Checks that an intermediate that asks for `asked_days` now gets them.

    `ends` is the end of `what_ends`, which it must not outlive.

    Vault cuts what is longer than the mount allows, and lets a certificate outlive its issuer; it
    only warns of both, in an answer that nobody reads. A request without a lifetime gets the
    mount's default, so that this has to be as long.

    Raises:
        InvalidInputError: the mount would cut it, or the root ends before.
    """
    asked = timedelta(days=asked_days)
    default = timedelta(seconds=mount.default_seconds)
    maximum = timedelta(seconds=mount.maximum_seconds)
    left = ends - datetime.now(UTC)
    if asked <= min(default, maximum, left):
        return
    possible = max(0, min(default, maximum, left).days)
    raise InvalidInputError(
        field,
        asked_days,
        f"the mesh asks for {asked_days} days, the mount allows {_days(default)} by default and "
        f"{_days(maximum)} at most, and {what_ends} has {_days(left)} left "
        f"(until {ends:%Y-%m-%d}): "
        + (f"use {possible} or less" if possible else "no lifetime of whole days is left"),
    )


def _days(duration: timedelta) -> str:
    return f"{max(0, duration.days)} days"
