"""The command with all of its sub-commands."""

from .cli import main
from .verify import verify

__all__ = ["main", "verify"]
