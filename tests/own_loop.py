"""Coroutines run to their end, without a trace in what runs after them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


def run_alone(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """What `coroutine` returns.

    `asyncio.run` would take away the thread's event loop, which the mocked engine needs later.
    """
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)
