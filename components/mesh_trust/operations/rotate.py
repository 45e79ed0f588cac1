"""`mesh-trust rotate`: new intermediates, and where a rotation of the root stands."""

import click

from mesh_trust.settings import MANAGEMENT, Connection

from .cli import EXIT_CODES, Project, confirm, main, with_json
from .errors import OperationError, RotationStoppedError
from .generations import generations_of
from .rotation import marks
from .rotation.choice import Applications, chosen_clusters
from .rotation.intermediates import GO_ON, Rotation
from .rotation.plan import tell_plan
from .rotation.restarting_policies import RestartingPolicies, restarting_policies
from .rotation.screen import Screen
from .rotation.survey import Survey, survey
from .stack import Stack

_DEFAULT_SECONDS = 600

_EXIT_CODES = """\b
Exit codes: 0 all is done, or would be with --dry-run; 1 it has come to a halt
half-way, and says at what; 2 it has written nothing, and says why.
"""


@main.group()
def rotate() -> None:
    """Asks for new certificates, and says where a rotation stands."""


@rotate.command(epilog=_EXIT_CODES)
@click.option("--cluster", "clusters", multiple=True, help="Only this one; may be repeated.")
@click.option("--restart-apps", is_flag=True, help="Roll Deployments with Istio's sidecar, too.")
@click.option("--namespace", "namespaces", multiple=True, help="Those of this one; repeatable.")
@click.option("--selector", help="Those with these labels, as kubectl takes them.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.IntRange(min=1),
    default=_DEFAULT_SECONDS,
    show_default=True,
    help="Seconds that each Deployment may take.",
)
@click.option("--dry-run", is_flag=True, help="Say what is left to be done, and write nothing.")
@click.option("--new", "anew", is_flag=True, help="Begin anew, though the last is not complete.")
@click.option("--go-on", is_flag=True, help="Go on with the last, though it is older than a day.")
@click.option(
    "--accept-auto-restart",
    is_flag=True,
    help="Go on although RootTrustPolicies have autoRestartPods on.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def intermediates(
    project: Project,
    clusters: tuple[str, ...],
    restart_apps: bool,
    namespaces: tuple[str, ...],
    selector: str | None,
    timeout_seconds: int,
    dry_run: bool,
    anew: bool,
    go_on: bool,
    accept_auto_restart: bool,
    yes: bool,
) -> None:
    """Gets each istiod a new intermediate, cluster by cluster.

    istiods are rolled and awaited, and a cluster comes after another only when its istiods present
    a new certificate authority below the stack's root. What was interrupted goes on where it was
    when the same command is run again.
    """
    if anew and go_on:
        raise OperationError("--new and --go-on are the opposite of each other: say one of them")
    applications = _applications(restart_apps, namespaces, selector)
    stack = project.stack()
    generations = generations_of(stack.outputs)
    surveys = survey(chosen_clusters(stack, clusters), generations, applications)
    policies = restarting_policies(_connections(stack))
    noted = [planned.mark for each in surveys for planned in each.planned]
    unfinished = None if anew else marks.open_rotation(noted)
    rotation = Rotation(unfinished or marks.now(), generations, timeout_seconds, Screen())

    begun = "goes on" if unfinished else "begins"
    click.echo(f"Rotation {rotation.name} of stack {stack.name} {begun}")
    _show(surveys, policies, rotation)
    if unfinished is not None and marks.is_old(unfinished) and not go_on:
        raise OperationError(
            f"rotation {unfinished} is not complete, and older than a day: what is done in it gets "
            "nothing new; say --new to begin anew with all, or --go-on to finish it"
        )
    _refuse(surveys, policies, accept_auto_restart=accept_auto_restart)
    left = sum(rotation.left(planned) for each in surveys for planned in each.planned)
    if dry_run:
        click.echo("Nothing was written (--dry-run)")
        return
    if left == 0:
        click.echo("Nothing is left to be rolled")
        return
    confirm(
        f"Roll {_counted(left)}, one after another?",
        "nothing was rolled, as that was not confirmed",
        yes=yes,
        otherwise="say --yes, or look with --dry-run",
    )
    try:
        rotation.run(surveys)
    except KeyboardInterrupt:
        raise RotationStoppedError(f"interrupted; {GO_ON}") from None
    click.echo(f"Rotation {rotation.name} is complete")


@rotate.command(epilog=EXIT_CODES)
@with_json
@click.pass_obj
def plan(project: Project, as_document: bool) -> None:
    """Says which step of the root's rotation is next, and whether it is safe yet.

    0 as exit code says that it is.
    """
    tell_plan(project.stack(), as_document=as_document)


def _applications(
    restart_apps: bool, namespaces: tuple[str, ...], selector: str | None
) -> Applications | None:
    if not restart_apps:
        for option, value in (("--namespace", namespaces), ("--selector", selector)):
            if value:
                raise OperationError(f"{option} says what --restart-apps rolls: add that, too")
        return None
    if not namespaces and not selector:
        raise OperationError(
            "--restart-apps needs to be told which: add --namespace, --selector or both"
        )
    return Applications(namespaces, selector)


def _connections(stack: Stack) -> dict[str, Connection]:
    settings = stack.settings
    found = {each.name: each.connection for each in settings.clusters}
    if settings.management is not None:
        found[MANAGEMENT] = settings.management
    return found


def _show(surveys: list[Survey], policies: RestartingPolicies, rotation: Rotation) -> None:
    for seen in surveys:
        click.echo(f"cluster {seen.cluster}")
        for planned in seen.planned:
            said = {
                None: "to be rolled",
                marks.Progress.PENDING: "to be rolled",
                marks.Progress.ROLLED: "rolled in this rotation, to be awaited",
                marks.Progress.DONE: "done in this rotation",
            }[planned.mark.in_rotation(rotation.name)]
            click.echo(f"  {planned.workload}: {said}; {planned.remark}")
        for line in seen.left_out:
            click.echo(f"  left out: {line}")
    for name, why in policies.unseen.items():
        click.echo(f"RootTrustPolicies are not seen: cluster {name}: {why}", err=True)
    for line in policies.found:
        click.echo(f"autoRestartPods is on: {line}", err=True)


def _refuse(
    surveys: list[Survey], policies: RestartingPolicies, *, accept_auto_restart: bool
) -> None:
    problems = [line for each in surveys for line in each.problems]
    if not accept_auto_restart:
        # A cluster that does not answer has been said already.
        problems += policies.objections([each.cluster for each in surveys if not each.problems])
    if problems:
        raise OperationError("\n".join(problems))


def _counted(number: int) -> str:
    return "1 Deployment" if number == 1 else f"{number} Deployments"
