"""The command with all of its sub-commands."""

from .cli import main
from .preflight.command import preflight
from .preview.command import preview
from .rotate import rotate
from .vault.commands import vault
from .verify import verify

__all__ = ["main", "preflight", "preview", "rotate", "vault", "verify"]
