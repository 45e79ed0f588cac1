"""What the state keeps of the calls that registered a resource."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_FRAMES = 12
"""Six of them are the SDK's own, from a resource's constructor on."""


@contextmanager
def short_traces() -> Iterator[None]:
    """Has resources that are registered meanwhile note the innermost calls alone.

    The SDK notes the whole stack of calls with each resource, mostly those of the language host,
    and the engine writes all of that with each step of an update: a quarter of the state, which
    nothing reads. An error that leaves this has its whole trace.
    """
    before = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = _FRAMES
    try:
        yield
    finally:
        if before is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = before
