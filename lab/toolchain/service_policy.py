"""Keeps the services of packages from being started while those are installed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .tools import ToolchainError

# Debian's scripts ask the policy before they start or restart a service; 101 forbids it
# (README.policy-rc.d of the package init-system-helpers).
_OURS = b"""#!/bin/sh
# mesh-trust has put this here while it installs packages, for none of their services to be started.
# What stood here before stands beside it, its name ending in before-mesh-trust.
exit 101
"""


class ServicePolicy:
    """`/usr/sbin/policy-rc.d` below `root`: ours for a while, and then what it was before.

    The two together may be used by one process at a time.
    """

    def __init__(self, root: Path) -> None:
        self._policy = root / "usr/sbin/policy-rc.d"
        self._before = self._policy.with_name("policy-rc.d.before-mesh-trust")
        self._new = self._policy.with_name("policy-rc.d.new-mesh-trust")

    def is_changed(self) -> bool:
        """Whether ours is in place, or what stood there has not been put back."""
        return self._is_ours() or any(map(os.path.lexists, (self._before, self._new)))

    @contextmanager
    def nothing_starts(self) -> Iterator[None]:
        """Has ours in place, and puts back what was there, also what a killed run did not.

        Raises:
            ToolchainError: as `put_back` does.
            OSError: the folder cannot be written.
        """
        self.put_back()
        try:
            self._new.write_bytes(_OURS)
            self._new.chmod(0o755)
            if os.path.lexists(self._policy):
                # Renamed, it keeps its owner, mode and times, and may be a link.
                self._policy.rename(self._before)
            self._new.rename(self._policy)
            yield
        finally:
            self.put_back()

    def put_back(self) -> None:
        """Takes ours away, if it is there, and puts back what was there before.

        Raises:
            ToolchainError: somebody else has put another one in place of ours.
        """
        self._new.unlink(missing_ok=True)
        if os.path.lexists(self._before):
            if os.path.lexists(self._policy) and not self._is_ours():
                raise ToolchainError(
                    f"both {self._policy} and {self._before}, which stood in its place before, are "
                    f"there: delete {self._before}, or rename it to {self._policy}"
                )
            self._before.rename(self._policy)
        elif self._is_ours():
            self._policy.unlink()

    def _is_ours(self) -> bool:
        try:
            return not self._policy.is_symlink() and self._policy.read_bytes() == _OURS
        except OSError:
            return False
