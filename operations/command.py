"""The command with all of its sub-commands."""

from .ci.command import ci
from .cli import main
from .preflight.command import preflight
from .preview.command import preview
from .rotate import rotate
from .vault.commands import vault
from .verify import verify

__all__ = ["ci", "main", "preflight", "preview", "rotate", "vault", "verify"]
