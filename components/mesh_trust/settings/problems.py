"""Collects what is wrong with a configuration, so that all of it is said at once."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pulumi

from mesh_trust import InvalidInputError

HIDDEN = "…"
"""Stands in messages for what they must not show."""

_T = TypeVar("_T")
_D = TypeVar("_D")


class InvalidConfigurationError(pulumi.RunError):
    """A configuration that cannot be used: a line for each of its problems.

    With one problem the message is its line alone; several stand below a line that counts them.
    """

    def __init__(self, problems: Iterable[InvalidInputError]) -> None:
        self.lines = tuple(dict.fromkeys(str(problem) for problem in problems))
        """The problems, without repetitions, in the order in which they were found."""
        if len(self.lines) == 1:
            super().__init__(self.lines[0])
        else:
            counted = f"{len(self.lines)} values of the configuration are not valid:"
            super().__init__("\n".join([counted, *(f"  {line}" for line in self.lines)]))


class Problems:
    """The problems found so far, or those of one part of the configuration."""

    def __init__(self, is_secret: Callable[[str], bool] = lambda _: False) -> None:
        """`is_secret` tells of which keys the values are not to be shown."""
        self._is_secret = is_secret
        self._found: list[InvalidInputError] = []
        self._before = 0
        self._cluster: str | None = None

    def part(self, cluster: str | None = None) -> "Problems":
        """A part that notes its problems here as well, in lines that name `cluster`."""
        part = Problems(self._is_secret)
        part._found = self._found
        part._before = len(self._found)
        if cluster is not None:
            # A name may be anything, and a problem is one line.
            cluster = cluster if cluster.isprintable() else repr(cluster)
        part._cluster = cluster if cluster is not None else self._cluster
        return part

    @property
    def none(self) -> bool:
        """Whether nothing was found since this part began."""
        return len(self._found) == self._before

    def fields(self) -> set[str]:
        """The fields that problems were noted of, so far and in all parts."""
        return {problem.field for problem in self._found}

    def note(self, problem: InvalidInputError) -> None:
        """Adds a problem."""
        key = re.match(r"\w*", problem.field)
        if key is not None and self._is_secret(key[0]) and problem.value is not None:
            problem = InvalidInputError(problem.field, HIDDEN, problem.fix)
        if self._cluster is not None:
            field = f"{problem.field} (cluster {self._cluster})"
            problem = InvalidInputError(field, problem.value, problem.fix)
        self._found.append(problem)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Notes the InvalidInputError that ends what is done within, and goes on behind it."""
        try:
            yield
        except InvalidInputError as problem:
            self.note(problem)

    def value(self, default: _D, read: Callable[..., _T], *args: Any, **options: Any) -> _T | _D:
        """What `read` gives for the arguments; `default` where it raises what is then noted."""
        try:
            return read(*args, **options)
        except InvalidInputError as problem:
            self.note(problem)
            return default

    def raise_any(self) -> None:
        """Ends what goes on where a problem was found.

        Raises:
            InvalidConfigurationError: one was.
        """
        if self._found:
            raise InvalidConfigurationError(self._found)
