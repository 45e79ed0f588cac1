"""The command with all of its sub-commands."""

from .cli import main
from .rotate import rotate
from .verify import verify

__all__ = ["main", "rotate", "verify"]
