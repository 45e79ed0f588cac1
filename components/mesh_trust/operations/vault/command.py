"""The sub-commands `vault ...`."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..cli import main
from .named import Named

FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@main.group()
def vault() -> None:
    """Initialise, unseal, save and look at Vault, and renew the stack's token.

    Its servers are named by --address, or are the pods in the cluster of --context;
    without either, they are those of the stack.
    """


def with_servers(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that name Vault's servers; `command` is given them as `named`."""

    @functools.wraps(command)
    def naming(
        *arguments: Any,
        addresses: tuple[str, ...],
        ca_file: Path | None,
        context: str | None,
        namespace: str | None,
        release: str | None,
        **options: Any,
    ) -> Any:
        named = Named(addresses, ca_file, context, namespace, release)
        return command(*arguments, named=named, **options)

    for option in (
        click.option(
            "--release",
            metavar="NAME",
            help="With --context: the Helm release.  [default: vault]",
        ),
        click.option(
            "--namespace",
            metavar="NAME",
            help="With --context: the namespace that it is in.  [default: vault]",
        ),
        click.option(
            "--context",
            metavar="NAME",
            help="Context of the kubeconfig for the cluster that Vault is installed in; each of "
            "its pods is reached through the API server.",
        ),
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
        naming = option(naming)
    return naming


def with_identity(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option that names an age identity."""
    return click.option(
        "--age-identity",
        type=EXISTING_FILE,
        help="What the file of keys is decrypted with, where it is encrypted to age recipients.",
    )(command)
