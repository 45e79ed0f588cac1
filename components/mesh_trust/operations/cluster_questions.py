"""Checks of one cluster, which ask it with one client."""

from collections.abc import Callable, Iterator
from functools import cached_property

from mesh_trust.settings import Connection

from .cluster_client import ClusterClient
from .finding import Finding
from .runner import Check

Look = Callable[[ClusterClient], Iterator[Finding]]
"""Looks at a cluster, and gives what it has found."""


class ClusterQuestions:
    """Makes the checks that ask one cluster; the first of them that is run connects to it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def _client(self) -> ClusterClient:
        return ClusterClient(self._connection)

    def check(self, name: str, look: Look, *, is_needed: bool = False) -> Check:
        """One of them, as Check has its fields."""
        return Check(name, lambda: look(self._client), is_needed)
