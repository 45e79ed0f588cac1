"""What a rotation says while it is under way."""

import asyncio

import click
import pulumi
from rich.console import Console

from mesh_trust.readiness import Look, Ready, until_ready

from ..errors import RotationStoppedError


class Screen:
    """Lines of a rotation: what has happened stays, what it waits for gives way to the next."""

    def __init__(self) -> None:
        self._errors = Console(stderr=True, soft_wrap=True, highlight=False)

    def say(self, line: str) -> None:
        """Prints a line."""
        click.echo(line)

    def wait(self, thing: str, look: Look, timeout_seconds: float, after: str) -> Ready:
        """Looks until `thing` is as it has to be, and says meanwhile what it waits for.

        Raises:
            RotationStoppedError: the time is over; `after` says what to do once it is mended.
        """
        with self._errors.status(f"{thing} ...") as status:

            def report(line: str, vanishes: bool) -> None:
                if not vanishes:
                    return
                if self._errors.is_terminal:
                    status.update(f"{thing}: {line}")
                else:
                    self._errors.print(f"{thing}: {line}", markup=False)

            try:
                return asyncio.run(until_ready(thing, look, timeout_seconds, report))
            except pulumi.RunError as error:
                raise RotationStoppedError(f"{error}; {after}") from None
