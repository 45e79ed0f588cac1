"""The command with all of its sub-commands."""

from .cli import main
from .vault.commands import vault
from .verify import verify

__all__ = ["main", "vault", "verify"]
