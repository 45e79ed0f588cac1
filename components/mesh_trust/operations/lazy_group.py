"""Sub-commands that are loaded when they are run, as most take the SDKs of other servers."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

import click


@dataclass(frozen=True)
class Elsewhere:
    """Where a sub-command is, and what the list of all says of it."""

    module: str
    """Which puts the sub-command into its group when it is imported."""
    summary: str
    """As click takes it from the sub-command's help, so that it need not be imported for that."""


class _Summary(click.Command):
    """Stands in the list of all for one that is not loaded."""


class LazyGroup(click.Group):
    """A group of commands, some of which are elsewhere until they are asked for."""

    elsewhere: Mapping[str, Elsewhere] = {}

    def list_commands(self, context: click.Context) -> list[str]:
        """The names of all."""
        return sorted({*super().list_commands(context), *self.elsewhere})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of this name, loaded if need be."""
        # Also where it is there already: a group is, once any one of its own is imported.
        if name in self.elsewhere and not isinstance(self.commands.get(name), _Summary):
            import_module(self.elsewhere[name].module)
        return super().get_command(context, name)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists all, without loading any."""
        unloaded = {
            name: _Summary(name, short_help=each.summary)
            for name, each in self.elsewhere.items()
            if name not in self.commands
        }
        loaded = dict(self.commands)
        self.commands.update(unloaded)
        try:
            super().format_commands(context, formatter)
        finally:
            self.commands = loaded
