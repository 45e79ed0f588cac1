"""What is broken for a test and put back after it, whatever becomes of the test."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import wraps
from typing import ParamSpec

_P = ParamSpec("_P")


class _PutBack(AbstractContextManager[None]):
    """Runs a generator to its end, whatever becomes of what is done within."""

    def __init__(self, steps: Iterator[None]) -> None:
        self._steps = steps

    def __enter__(self) -> None:
        next(self._steps)

    def __exit__(self, *_: object) -> None:
        next(self._steps, None)


def put_back(
    function: Callable[_P, Iterator[None]],
) -> Callable[_P, AbstractContextManager[None]]:
    """A context: what is before the `yield` breaks something, what is behind it puts it back."""

    @wraps(function)
    def broken(*args: _P.args, **kwargs: _P.kwargs) -> AbstractContextManager[None]:
        return _PutBack(function(*args, **kwargs))

    return broken
