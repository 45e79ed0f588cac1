"""The sub-commands of `ci`."""

import json
import os
from pathlib import Path

import click

from ..cli import Project, main
from ..errors import OperationError
from .comment import Discussion
from .compared import compared, requests_on_github, requests_on_gitlab
from .environments import affected_environments, changed_files, environments_of
from .forge import needed
from .identity import token_of_github
from .place import place_of
from .vault_login import run_with_token, run_without

_AUTHOR = click.option(
    "--author",
    default="github-actions[bot]",
    show_default=True,
    help="Whose comment it is on GitHub: that of the token's owner.",
)


@main.group()
def ci() -> None:
    """What a pipeline asks; docs/preview-in-ci.md has whole ones."""


@ci.command()
@click.option(
    "--changed-since", "reference", help="Only those that differ from this git reference."
)
@click.option(
    "--without", multiple=True, help="An environment to leave out, as one of a developer's own."
)
@click.option(
    "--of-vault/--not-of-vault",
    default=None,
    help="Only stacks of a Vault alone, which has to be made first, or only the others.",
)
@click.pass_obj
def environments(
    project: Project, reference: str | None, without: tuple[str, ...], of_vault: bool | None
) -> None:
    """Print the project's environments as a JSON list, in the order to update them.

    A Pulumi.<environment>.yaml that differs is about its environment; a file that
    may be of the program is about all of them, documentation and tests about none.

    Exit codes: 0 they are printed; 2 they cannot be found out.
    """
    if not (project.folder / "Pulumi.yaml").is_file():
        raise OperationError(f"{project.folder} has no Pulumi.yaml: name the project with --cwd")
    known = environments_of(project.folder)
    for each in without:
        if each not in known.all:
            raise OperationError(f"--without: there is no Pulumi.{each}.yaml; leave it out")
    found = known.all
    if reference is not None:
        affected = affected_environments(known.all, changed_files(project.folder, reference))
        found = affected.environments
        for each in affected.gone:
            click.echo(
                f"Pulumi.{each}.yaml is gone: if its environment still stands, take it down with "
                "`pulumi destroy` from before this change",
                err=True,
            )
    among = {None: known.all, True: known.vaults, False: known.others}[of_vault]
    click.echo(json.dumps([each for each in found if each in among and each not in without]))


@ci.command()
@click.option("--github", "number", type=int, metavar="NUMBER", help="Number of the pull request.")
@click.option("--gitlab", "request", type=int, metavar="NUMBER", help="Of the merge request.")
@_AUTHOR
@click.argument("previews", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def comment(
    number: int | None, request: int | None, author: str, previews: tuple[Path, ...]
) -> None:
    """Write one comment of these PREVIEWS, files of Markdown, or write it anew.

    GITHUB_REPOSITORY and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID and
    GITLAB_TOKEN, say where and as whom.

    Exit codes: 0 it is written; 2 it is not.
    """
    if (number is None) == (request is None):
        raise OperationError("name the pull request with --github, or else one with --gitlab")
    if number is not None:
        discussion = Discussion.on_github(os.environ, number, author)
    else:
        assert request is not None
        discussion = Discussion.on_gitlab(os.environ, request)
    click.echo(discussion.write([_told(each) for each in previews]))


@ci.command()
@click.option("--github", metavar="COMMIT", help="The commit that is planned, on GitHub.")
@click.option("--gitlab", metavar="COMMIT", help="The same on GitLab.")
@_AUTHOR
@click.argument("preview", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def compare(github: str | None, gitlab: str | None, author: str, preview: Path) -> None:
    """Say whether PREVIEW, a plan's file of Markdown, is what a comment has shown.

    The comment is that on the request which has brought the commit. What is printed is
    Markdown, for who has to agree to the plan. Variables are those of `ci comment`.

    Exit codes: 0 it is said; 2 it cannot be found out.
    """
    if (github is None) == (gitlab is None):
        raise OperationError("name the commit with --github, or else with --gitlab")
    if github is not None:
        requests = requests_on_github(os.environ, github, author)
    else:
        assert gitlab is not None
        requests = requests_on_gitlab(os.environ, gitlab)
    click.echo(compared(preview.read_text(), requests), nl=False)


@ci.command("with-vault", context_settings={"ignore_unknown_options": True})
@click.option("--role", required=True, help="The role of the JWT auth mount.")
@click.option("--mount", default="jwt", show_default=True, help="The auth mount, without auth/.")
@click.option(
    "--jwt-variable",
    help="The variable that has the pipeline's own token.  [default: VAULT_ID_TOKEN]",
)
@click.option(
    "--github-audience",
    metavar="AUDIENCE",
    help="On GitHub Actions, in place of a variable: have a token made for it.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def with_vault(
    project: Project,
    role: str,
    mount: str,
    jwt_variable: str | None,
    github_audience: str | None,
    command: tuple[str, ...],
) -> None:
    """Run COMMAND, behind --, with a token of Vault's in VAULT_TOKEN.

    The pipeline's own OpenID Connect token is given for it, and it is given back at
    the end, also where a signal ends the run. Where Vault is, and its CA, is what the
    configuration of --stack says (vaultAddress and vaultCaFile, or vaultStack), or else
    VAULT_ADDR and VAULT_CACERT. For a stack that makes a Vault there is no login.

    Exit codes: those of COMMAND; 2 it could not be run.
    """
    if jwt_variable is not None and github_audience is not None:
        raise OperationError(
            "--jwt-variable and --github-audience exclude each other: leave one out"
        )
    place = place_of(project, os.environ)
    if place is None:
        click.echo(f"{project.stack_name} makes a Vault: nothing is logged in to.", err=True)
        raise SystemExit(run_without(command))
    if github_audience is not None:
        jwt = token_of_github(os.environ, github_audience)
    else:
        jwt = needed(os.environ, jwt_variable or "VAULT_ID_TOKEN")
    raise SystemExit(run_with_token(command, place, mount=mount, role=role, jwt=jwt))


def _told(preview: Path) -> str:
    """The text of a preview; an empty file is what a job leaves that could make none."""
    environment = preview.stem.removeprefix("preview-")
    return preview.read_text() or (
        f"### `{environment}`: the preview **could not be made**\n\nIts job says why.\n"
    )
