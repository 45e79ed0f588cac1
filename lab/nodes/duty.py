"""Looking after all objects of one kind in a cluster, as long as the process runs."""

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from lab.nodes.cluster_access import ClusterAccess, Objects
from lab.nodes.telling import tell

_PAUSE_SECONDS = 1.0


class Duty:
    """The objects that a list of the API server's has at `path`, and what is done for them.

    `care` gets all of them: at the start, and whenever one has changed.
    """

    def __init__(self, cluster: ClusterAccess, path: str, care: Callable[[Objects], None]) -> None:
        self._cluster = cluster
        self._path = path
        self._care = care
        self._last_done = time.monotonic()
        self._told = ""

    def neglected_seconds(self) -> float:
        """Return how long ago all was done that there was to do."""
        return time.monotonic() - self._last_done

    def follow(self) -> None:
        """Look after them, for ever; what fails is told, and tried again."""
        while True:
            try:
                self._follow_once()
            except Exception as error:  # noqa: BLE001 - a thread that ends is missed by nobody
                self._tell(error)
                time.sleep(_PAUSE_SECONDS)

    def _follow_once(self) -> None:
        answer = self._cluster.ask("GET", self._path)
        self._care(answer["items"])
        self._last_done = time.monotonic()
        self._told = ""
        self._cluster.await_change(self._path, answer["metadata"]["resourceVersion"])

    def _tell(self, error: Exception) -> None:
        """Print what went wrong; once, where it does so again and again."""
        if isinstance(error, ExceptionGroup):
            reason = "; ".join(map(_reason, error.exceptions))
        else:
            reason = _reason(error)
        if reason != self._told:
            tell(f"{self._path}: {reason}")
            self._told = reason


def for_each(objects: Objects, care: Callable[[Mapping[str, Any]], None]) -> None:
    """Do for each of the objects what there is to do; one with which it fails holds up no other.

    Raises:
        ExceptionGroup: it failed with some.
    """
    failures = []
    for each in objects:
        try:
            care(each)
        except Exception as error:  # noqa: BLE001 - handed to who asked for it
            failures.append(error)
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(objects)} objects", failures)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        # A refusal of the server's is one, too.
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error)).strip()
