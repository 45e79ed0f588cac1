"""What a process of the nodes says in its log."""

from datetime import UTC, datetime

import click


def tell(message: str) -> None:
    """Print a line with the time (UTC) on standard error, which is the process's log."""
    click.echo(f"{datetime.now(UTC):%H:%M:%S} {message}", err=True)
