"""The sub-command `preflight`."""

import click

from ..cli import EXIT_CODES, Project, main, tell, with_json
from ..stack import own_ids
from .checks import preflight_checks


@main.command(epilog=EXIT_CODES)
@with_json
@click.pass_obj
def preflight(project: Project, as_document: bool) -> None:
    """Look before `pulumi up` whether it can go through.

    Whatever the stack's configuration names is looked at: clusters, Istio, Gloo
    Mesh, Vault, and the rights in them. Nothing is written anywhere.
    """
    stack, problems = project.stack_anyway()
    own = own_ids(stack.name, project.folder)
    tell(preflight_checks(stack, problems, own), as_document=as_document)
