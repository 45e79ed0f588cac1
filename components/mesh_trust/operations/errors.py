"""What ends a command before it has found anything."""

import click


class OperationError(click.ClickException):
    """The command cannot do what it is asked; the message is a single line that says what to do."""

    exit_code = 2


class RotationStoppedError(click.ClickException):
    """A rotation has come to a halt half-way; the message is a single line that says what to do."""

    exit_code = 1
