"""The sub-commands `vault ...`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..cli import main

FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@main.group()
def vault() -> None:
    """Initialise, unseal and look at Vault, and renew the stack's token.

    Without --address, the Vault of the stack is worked with.
    """


def with_servers(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that name Vault's servers."""
    for option in (
        click.option(
            "--ca-file",
            type=EXISTING_FILE,
            help="PEM file of the CA that the servers' certificates chain to.  [default: the "
            "stack's, or the system's]",
        ),
        click.option(
            "--address",
            "addresses",
            multiple=True,
            metavar="URL",
            help="A server of Vault; repeat it for each one that is to be in the same Vault.",
        ),
    ):
        command = option(command)
    return command


def with_identity(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option that names an age identity."""
    return click.option(
        "--age-identity",
        type=EXISTING_FILE,
        help="What the file of keys is decrypted with, where it is encrypted to age recipients.",
    )(command)
