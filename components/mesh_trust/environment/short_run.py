"""What a program that runs for seconds need not pay for, as a long one may.

Importing this has the collector of garbage look rarely: the SDKs make half a million objects that
stay, and it would go through all of them again and again, a fifth of the time that loading takes.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 100_000
"""So many more objects than before have it look; it is 700 otherwise."""

_FRAMES = 12
"""Six of them are the SDK's own, from a resource's constructor on."""

gc.set_threshold(_NEW_OBJECTS)


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
