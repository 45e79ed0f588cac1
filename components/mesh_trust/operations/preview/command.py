"""The sub-command `preview`."""

import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from ..cli import Project, main, with_json
from ..errors import OperationError
from .document import read_document
from .engine import Wanted, preview_by_engine
from .markdown import as_markdown
from .summary import Summary
from .table import as_document as document_of
from .table import print_summary

_EXIT_CODES = """\b
Exit codes: 0 the preview went through; 1 it failed, or something would change
although --expect-no-changes was given; 2 the command could not be run.
"""
_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)


@main.command(epilog=_EXIT_CODES)
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Sum up what `pulumi preview --json` has printed into this file, - for standard input.",
)
@click.option("--markdown", is_flag=True, help="Print Markdown, for a comment.")
@click.option("--refresh", is_flag=True, help="Look at the servers first: what drifted is seen.")
@click.option("--expect-no-changes", is_flag=True, help="End with 1 where something would change.")
@click.option(
    "--policy-pack", "packs", multiple=True, type=_FOLDER, help="Check by its rules as well."
)
@click.option(
    "--policy-pack-config",
    "configs",
    multiple=True,
    type=_FILE,
    help="Levels and bounds of the pack's rules, JSON.",
)
@click.option(
    "--save-plan",
    type=click.Path(dir_okay=False, resolve_path=True, path_type=Path),
    help="Have the engine write its plan here, for `pulumi up --plan` (experimental); none is kept "
    "where nothing would change.",
)
@with_json
@click.pass_obj
def preview(
    project: Project,
    source: Path | None,
    markdown: bool,
    refresh: bool,
    expect_no_changes: bool,
    packs: tuple[Path, ...],
    configs: tuple[Path, ...],
    save_plan: Path | None,
    as_document: bool,
) -> None:
    """Sum up what `pulumi up` would change, by whose things it changes.

    What touches roots, policies and roles, and what is replaced or deleted, is
    told first. Secrets are never shown. Nothing is written anywhere.
    """
    if markdown and as_document:
        raise OperationError("--markdown and --json exclude each other: leave one out")
    wanted = Wanted(
        project.folder,
        project.stack_name,
        project.config_file,
        refresh,
        packs,
        configs,
        save_plan,
    )
    if source is None:
        summary = _previewed(wanted)
    else:
        if wanted != replace(Wanted(project.folder), stack=project.stack_name):
            raise OperationError(
                "--from sums up what is there already: give --config-file, --refresh, "
                "--policy-pack and --save-plan to `pulumi preview` itself"
            )
        summary = _read(source, project.stack_name)
    if markdown:
        click.echo(as_markdown(summary), nl=False)
    elif as_document:
        click.echo(document_of(summary))
    else:
        print_summary(summary, Console())
    raise SystemExit(int(summary.has_failed or (expect_no_changes and not summary.is_empty)))


def _previewed(wanted: Wanted) -> Summary:
    made = preview_by_engine(wanted)
    summary = Summary.of(made.document, wanted.stack, made.violations, has_failed=made.has_failed)
    if wanted.save_plan is not None and summary.is_empty:
        # Nobody has to agree to it.
        wanted.save_plan.unlink(missing_ok=True)
    return summary


def _read(source: Path, stack: str | None) -> Summary:
    if str(source) == "-":
        return Summary.of(read_document(sys.stdin.read(), "standard input"), stack)
    try:
        text = source.read_text()
    except UnicodeDecodeError:
        raise OperationError(f"{source}: no text in UTF-8") from None
    return Summary.of(read_document(text, str(source)), stack)
