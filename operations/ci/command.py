"""The sub-commands `ci environments` and `ci comment`."""

import json
import os
from pathlib import Path

import click

from ..cli import Project, main
from ..errors import OperationError
from .comment import Discussion, comment_body
from .environments import affected_environments, all_environments, changed_files


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
@click.pass_obj
def environments(project: Project, reference: str | None, without: tuple[str, ...]) -> None:
    """Print the project's environments as a JSON list.

    A Pulumi.<environment>.yaml that differs is about its environment; a file that
    may be of the program is about all of them, documentation and tests about none.

    Exit codes: 0 they are printed; 2 they cannot be found out.
    """
    if not (project.folder / "Pulumi.yaml").is_file():
        raise OperationError(f"{project.folder} has no Pulumi.yaml: name the project with --cwd")
    known = all_environments(project.folder)
    for each in without:
        if each not in known:
            raise OperationError(f"--without: there is no Pulumi.{each}.yaml; leave it out")
    found = known
    if reference is not None:
        affected = affected_environments(project.folder, changed_files(project.folder, reference))
        found = affected.environments
        for each in affected.gone:
            click.echo(
                f"Pulumi.{each}.yaml is gone: if its environment still stands, take it down with "
                "`pulumi destroy` from before this change",
                err=True,
            )
    click.echo(json.dumps([each for each in found if each not in without]))


@ci.command()
@click.option("--github", "number", type=int, metavar="NUMBER", help="Number of the pull request.")
@click.option("--gitlab", "request", type=int, metavar="NUMBER", help="Of the merge request.")
@click.option(
    "--author",
    default="github-actions[bot]",
    show_default=True,
    help="Whose comment it is on GitHub: that of the token's owner.",
)
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
    was_there = discussion.write(comment_body([each.read_text() for each in previews]))
    click.echo("The comment is written anew." if was_there else "The comment is written.")
