"""Waits until the server has done its part: an object ready, or an object gone."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lab.plugins.kubernetes.annotations import awaited_expressions, skips_waiting, timeout_seconds
from lab.plugins.kubernetes.awaited_expression import parse_expression
from lab.plugins.kubernetes.cluster import ApiError, Cluster, Unreachable
from lab.plugins.kubernetes.objects import lookup, name_of, namespace_of, text
from lab.plugins.provider.values import Properties

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_PAUSE_GROWTH = 1.5
_TIMED_OUT = "timed out waiting for the condition"


@dataclass(frozen=True)
class Observation:
    """An object at one moment; `shortcomings` say, one line each, why it is not ready."""

    live: Properties
    is_ready: bool
    shortcomings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Readiness:
    """How a kind becomes ready.

    `observe` is given the cluster and the object as written. `limit_seconds` is a limit that no
    resource option can move. `late` is the message of a timeout, with a place for the object's
    name. `on_read` tells whether a refresh looks at it too.
    """

    observe: Callable[[Cluster, Properties], Observation]
    late: str
    limit_seconds: float | None = None
    on_read: bool = False


class NotReady(Exception):  # noqa: N818 - named for what it is
    """An object that exists but is not as it should be; `reasons` has at least one line."""

    def __init__(self, live: Properties, reasons: tuple[str, ...]) -> None:
        super().__init__(reasons[0])
        self.live = live
        self.reasons = reasons


def fetch(cluster: Cluster, resource: Properties) -> Properties:
    """Return the object as the server has it now."""
    return cluster.get(
        text(resource, "apiVersion"),
        text(resource, "kind"),
        namespace_of(resource),
        name_of(resource),
    )


def readiness_for(inputs: Properties, of_kind: Readiness | None) -> Readiness | None:
    """Return what to wait for: what the program itself says, else what the kind's readiness is.

    None is to wait for nothing. Raises `ProviderError` where the program's words cannot be read.
    """
    if skips_waiting(inputs):
        return None
    expressions = awaited_expressions(inputs)
    return _as_awaited(expressions) if expressions else of_kind


class Waiting:
    """Waiting that can be cancelled from another thread."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End all waiting, now and later."""
        self._cancelled.set()

    def until_ready(
        self,
        cluster: Cluster,
        readiness: Readiness | None,
        *,
        inputs: Properties,
        written: Properties,
        custom_timeout: float,
    ) -> Properties:
        """Wait until a written object is ready and return it as it then is; raises `NotReady`.

        While there is time, a server that is overloaded or away for a moment is asked again.
        """
        if readiness is None:
            return written
        seconds = timeout_seconds(inputs, custom_timeout)
        if readiness.limit_seconds is not None:
            seconds = min(seconds, readiness.limit_seconds)

        live = written
        shortcomings: tuple[str, ...] = ()
        unanswered: tuple[str, ...] = ()
        for _ in self._moments(seconds):
            try:
                observation = readiness.observe(cluster, written)
            except (ApiError, Unreachable) as error:
                unanswered = _passing(error, live)
                continue
            if observation.is_ready:
                return observation.live
            live, shortcomings, unanswered = observation.live, observation.shortcomings, ()
        raise NotReady(live, (self._ending(readiness.late, written), *shortcomings, *unanswered))

    def until_gone(
        self, cluster: Cluster, resource: Properties, deleted_uid: str, seconds: float
    ) -> None:
        """Wait until the object no longer exists, or one made after it has its name.

        Raises `NotReady` with the object as it last was. Asks again as `until_ready` does.
        """
        live = resource
        unanswered: tuple[str, ...] = ()
        for _ in self._moments(seconds):
            try:
                live, unanswered = fetch(cluster, resource), ()
            except (ApiError, Unreachable) as error:
                if isinstance(error, ApiError) and error.is_not_found:
                    return
                unanswered = _passing(error, live)
                continue
            if deleted_uid and text(live, "metadata", "uid") != deleted_uid:
                return
        finalizers = lookup(live, "metadata", "finalizers")
        names = ", ".join(str(name) for name in finalizers) if isinstance(finalizers, list) else ""
        raise NotReady(
            live,
            (
                self._ending(_TIMED_OUT, resource),
                f"finalizers might be preventing deletion ({names})",
                *unanswered,
            ),
        )

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the waiting is cancelled."""
        self._cancelled.wait(seconds)

    def _moments(self, seconds: float) -> "_Moments":
        return _Moments(self._cancelled, seconds)

    def _ending(self, late: str, resource: Properties) -> str:
        if self._cancelled.is_set():
            return f'Resource operation was cancelled for "{name_of(resource)}"'
        return late.format(name=name_of(resource))


class _Moments:
    """The moments at which to look: at once, then ever less often until the time is over."""

    def __init__(self, cancelled: threading.Event, seconds: float) -> None:
        self._cancelled = cancelled
        self._end = time.monotonic() + seconds
        self._pause = 0.0

    def __iter__(self) -> "_Moments":
        return self

    def __next__(self) -> None:
        if self._pause:
            left = self._end - time.monotonic()
            if left <= 0 or self._cancelled.wait(min(self._pause, left)):
                raise StopIteration
        grown = max(self._pause * _PAUSE_GROWTH, _FIRST_PAUSE_SECONDS)
        self._pause = min(grown, _LONGEST_PAUSE_SECONDS)


def _passing(error: ApiError | Unreachable, live: Properties) -> tuple[str, ...]:
    """Return what to report of an error if nothing comes after it; one that stays is the end."""
    if isinstance(error, ApiError) and not error.is_transient:
        raise NotReady(live, (str(error),)) from error
    return (f"the API server's last failure: {error}",)


def _as_awaited(expressions: list[str]) -> Readiness:
    conditions = [parse_expression(expression) for expression in expressions]

    def observe(cluster: Cluster, written: Properties) -> Observation:
        live = fetch(cluster, written)
        return Observation(live, all(condition(live) for condition in conditions))

    return Readiness(observe, late=_TIMED_OUT)
