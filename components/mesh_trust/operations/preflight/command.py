"""The sub-command `preflight`."""

import click

from ..cli import EXIT_CODES, Project, main, tell, with_json
from .checks import preflight_checks


@main.command(epilog=EXIT_CODES)
@with_json
@click.pass_obj
def preflight(project: Project, as_document: bool) -> None:
    """Look before `pulumi up` whether it can go through.

    Whatever the stack's configuration names is looked at: clusters, Istio, Gloo
    Mesh, Vault, and the rights in them. Nothing is written anywhere.
    """
    tell(preflight_checks(project.planned_stack()), as_document=as_document)
