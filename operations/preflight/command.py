"""The command `mesh-trust preflight`."""

import click

from ..cli import EXIT_CODES, Project, tell, with_json
from ..stack import own_ids
from .checks import preflight_checks

_HELP = f"""Looks whether `pulumi up` can go through, before it does.

Whatever the stack's configuration names is looked at: clusters, Istio, Gloo
Mesh, Vault and the rights in them. Nothing is written anywhere.

{EXIT_CODES}
"""


@click.command(help=_HELP)
@with_json
@click.pass_obj
def preflight(project: Project, as_document: bool) -> None:
    """Prints what is found."""
    stack, problems = project.stack_anyway()
    own = own_ids(stack.name, project.folder)
    tell(preflight_checks(stack, problems, own), as_document=as_document)
