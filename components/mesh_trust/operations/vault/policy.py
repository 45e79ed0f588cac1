"""The sub-command `vault policy`."""

import click

from mesh_trust import InvalidInputError

from ..cli import Project
from ..errors import OperationError
from .command import vault
from .exact_policy import exact_policy
from .stack_policy import DEFAULT_NAME


@vault.command()
@click.option(
    "--name",
    default=DEFAULT_NAME,
    show_default=True,
    help="Name of the policy, and of the role that the token's successors are made with.",
)
@click.pass_obj
def policy(project: Project, name: str) -> None:
    """Print the policy of the stack's token, bounded to this stack.

    It names the stack's own mounts, roles and policies, and has the rules of the latter
    in it: a token with it cannot give itself more. Whatever changes names or rules, as
    another cluster does, needs the new one in Vault first.
    """
    try:
        click.echo(exact_policy(project.stack().settings, name), nl=False)
    except InvalidInputError as error:
        raise OperationError(str(error)) from None
