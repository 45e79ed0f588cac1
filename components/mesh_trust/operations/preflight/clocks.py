"""Whether a server's clock goes with this machine's."""

from datetime import UTC, datetime

from ..about import About
from ..finding import Finding

TOLERATED_SECONDS = 60.0
"""How far they may be apart. A root that is made here is valid from this machine's time on, and
tokens carry the time of whoever makes them: Kubernetes and Vault allow these no more than a minute
or two."""


def clock_finding(about: About, server_time: datetime | None) -> Finding:
    """Compares what a server has just said of the time with this machine's."""
    if server_time is None:
        return about.warning("it does not tell its time", "compare its clock by hand: `date -u`")
    apart = (server_time - datetime.now(UTC)).total_seconds()
    if abs(apart) <= TOLERATED_SECONDS:
        return about.ok("its clock and this machine's agree within a minute")
    direction = "ahead of" if apart > 0 else "behind"
    return about.failed(
        f"its clock is {abs(apart):.0f} s {direction} this machine's",
        "set both by NTP: certificates would not be valid yet, and tokens over before their time",
    )
