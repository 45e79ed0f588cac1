"""What is in Vault, read once."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from .stack import Stack
from .vault_client import asking, vault_client


class VaultView:
    """Reads Vault for one thread."""

    def __init__(self, stack: Stack) -> None:
        """Asks nothing yet.

        Raises:
            OperationError: no token is given.
        """
        self.client = vault_client(stack)

    @cached_property
    def mounts(self) -> Mapping[str, Any]:
        """The secrets mounts, by their paths without a slash at the end.

        Raises:
            UnreachableError: they cannot be read.
        """
        return self._mounted("sys/mounts")

    @cached_property
    def auth_mounts(self) -> Mapping[str, Any]:
        """The auth mounts likewise.

        Raises:
            UnreachableError: they cannot be read.
        """
        return self._mounted("sys/auth")

    def read(self, path: str) -> dict[str, Any] | None:
        """The data at `path`; None where nothing is.

        Raises:
            UnreachableError: it cannot be read.
        """
        with asking(path):
            answer = self.client.read(path)
        return None if answer is None else dict(answer["data"])

    def list(self, path: str) -> list[str]:
        """The names below `path`.

        Raises:
            UnreachableError: they cannot be listed.
        """
        with asking(f"what is below {path}"):
            answer = self.client.list(path)
        return [] if answer is None else list(answer["data"]["keys"])

    def _mounted(self, path: str) -> dict[str, Any]:
        found = self.read(path) or {}
        return {name.rstrip("/"): mount for name, mount in found.items()}
