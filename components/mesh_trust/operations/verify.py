"""The sub-command `verify`."""

import click

from .certificates import Thresholds
from .cli import EXIT_CODES, Project, main, tell, with_json
from .errors import OperationError
from .expected import Expected
from .vault.checks import stack_checks
from .verification import verification

_DEFAULTS = Thresholds()


@main.command(epilog=EXIT_CODES)
@click.option(
    "--handshake",
    is_flag=True,
    help="Make the exchange of istiod's agent as well, short-lived, and clean up after it.",
)
@click.option(
    "--warn-days",
    type=click.FloatRange(min=0),
    default=_DEFAULTS.warn_days,
    show_default=True,
    help="Warn of certificates that have less than this left ...",
)
@click.option(
    "--warn-share",
    type=click.FloatRange(0, 1),
    default=_DEFAULTS.warn_share,
    show_default="a third",
    help="... where that is less than this share of their whole lifetime.",
)
@click.option(
    "--fail-days",
    type=click.FloatRange(min=0),
    default=_DEFAULTS.fail_days,
    show_default="when they have ended",
    help="Fail for certificates that have less than this left.",
)
@with_json
@click.pass_obj
def verify(
    project: Project,
    handshake: bool,
    warn_days: float,
    warn_share: float,
    fail_days: float,
    as_document: bool,
) -> None:
    """Look after `pulumi up` whether all is as it should be.

    Vault, Gloo and Istio are asked, and the trust of each cluster is followed from
    its root to where workloads get it. Each istiod's account logs in to Vault once,
    and out again; nothing else is written but with --handshake.
    """
    thresholds = Thresholds(warn_days, warn_share, fail_days)
    if project.stack().settings.vault.has_a_stack_of_its_own:
        if handshake:
            raise OperationError(
                "handshake: is not valid for a stack that installs Vault; make it with the stack "
                "that sets the trust up"
            )
        tell(stack_checks(project, thresholds), as_document=as_document)
        return
    expected = Expected(project.stack())
    tell(verification(expected, thresholds, handshake=handshake), as_document=as_document)
