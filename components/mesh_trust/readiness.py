"""Waits until something is ready, says what it waits for, and gives up with the reason."""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import pulumi

_T = TypeVar("_T")

REPORT_EVERY_SECONDS = 15.0
"""How often a reason that stays is said again: a line each in a log that is not interactive."""


@dataclass(frozen=True)
class Obstacle:
    """Why it is not ready at one moment."""

    kind: str
    """What sort of reason: one that goes on is reported now and then only, and counted as one
    against its patience, however its words change."""
    reason: str
    """The reason, part of a sentence on a single line."""
    advice: str
    """What to do when it lasts, likewise."""
    patience_seconds: float = math.inf
    """How long it may last: less than the time-out where waiting mends nothing."""


@dataclass(frozen=True)
class Ready:
    """What was waited for is ready."""

    result: str
    """What is known of it now, as its address or its state."""
    remark: str | None = None
    """What is worth a warning all the same."""


Look = Callable[[], Ready | Obstacle]
"""Looks once; may take seconds, and is called in a thread of its own."""

Report = Callable[[str, bool], None]
"""Takes a line, and whether it may vanish when the next one comes."""


async def until_ready(
    thing: str,
    look: Look,
    timeout_seconds: float,
    report: Report,
    *,
    look_every_seconds: float = 1.0,
) -> Ready:
    """Looks until `thing`, as lines call it, is ready, and reports what is in the way.

    Says nothing at all where it is ready at the first look.

    Raises:
        pulumi.RunError: the time or an obstacle's patience is over; its message is a single line
            with the reason and what to do.
    """
    started = time.monotonic()
    kind, since, said_at = "", 0.0, 0.0
    while True:
        found = await in_thread(look)
        elapsed = time.monotonic() - started
        if isinstance(found, Ready):
            if kind:
                report(f"{thing} is ready after {elapsed:.0f} s: {found.result}", False)
            return found
        is_new = found.kind != kind
        if is_new:
            kind, since = found.kind, elapsed
        if elapsed >= timeout_seconds or elapsed - since >= found.patience_seconds:
            raise pulumi.RunError(
                f"{thing} is not ready after {elapsed:.0f} s: {found.reason}; {found.advice}"
            )
        if is_new or elapsed - said_at >= REPORT_EVERY_SECONDS:
            said_at = elapsed
            report(f"{found.reason} ({elapsed:.0f} s)", True)
        await asyncio.sleep(min(look_every_seconds, max(timeout_seconds - elapsed, 0.0)))


async def in_thread(function: Callable[[], _T]) -> _T:
    """What `function`, which may block, returns; everything else goes on meanwhile."""
    # Not the loop's own executor, whose threads all belong to registrations that are under way.
    with ThreadPoolExecutor(max_workers=1) as executor:
        return await asyncio.get_running_loop().run_in_executor(executor, function)


def on_one_line(text: str, limit: int = 300) -> str:
    """`text` without line breaks, of at most `limit` characters, and no full stop at its end.

    What is too long loses its middle: what others report of errors begins with what was tried and
    ends with why it failed.
    """
    joined = " ".join(text.split()).rstrip(".")
    if len(joined) <= limit:
        return joined
    half = (limit - 3) // 2
    return f"{joined[:half].rstrip()} … {joined[-half:].lstrip()}"
