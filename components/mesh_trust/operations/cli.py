"""The command `mesh-trust`, also `python -m mesh_trust.operations`."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .errors import OperationError
from .finding import Finding
from .lazy_group import LazyGroup
from .runner import Check, run_checks

# Elsewhere imported where it is needed: the SDKs take longer than the help that is asked for.
if TYPE_CHECKING:
    from mesh_trust.settings import Look

    from .stack import PlannedStack, Stack

EXIT_CODES = """\b
Exit codes: 0 all is well (warnings allowed); 1 something is not, or could not
be looked at; 2 the command could not be run.
"""


@dataclass(frozen=True)
class Project:
    """Where a command finds its stack."""

    stack_name: str | None
    folder: Path
    config_file: Path | None = None

    def stack(self, look: "Look | None" = None) -> "Stack":
        """Reads it.

        Raises:
            OperationError: it cannot be read, or its configuration cannot be used.
        """
        from mesh_trust import InvalidInputError
        from mesh_trust.settings import InvalidConfigurationError

        from .stack import Stack

        try:
            return Stack.load(self.stack_name, self.folder, look, self.config_file)
        except (InvalidConfigurationError, InvalidInputError) as error:
            raise OperationError(str(error)) from None

    def planned_stack(self) -> "PlannedStack":
        """Reads it as far as its configuration can be used.

        Raises:
            OperationError: it cannot be read.
        """
        from .stack import PlannedStack

        return PlannedStack.load(self.stack_name, self.folder, self.config_file)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stack", "-s", help="The stack to work on.  [default: the selected one]")
@click.option(
    "--cwd",
    "-C",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The project's folder.  [default: this one]",
)
@click.option(
    "--config-file",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
    help="The stack's configuration.  [default: Pulumi.<stack>.yaml in the project's folder]",
)
@click.pass_context
def main(context: click.Context, stack: str | None, folder: Path, config_file: Path | None) -> None:
    """What happens around `pulumi up`: looks before it, looks after it, and rotations."""
    context.obj = Project(stack, folder.resolve(), config_file)


def with_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option `--json`."""
    return click.option("--json", "as_document", is_flag=True, help="Print JSON.")(command)


def tell(checks: Mapping[str, Sequence[Check]], *, as_document: bool) -> NoReturn:
    """Runs `checks`, prints what they find, and ends with the exit code that says it."""
    from rich.console import Console

    from .report import as_json, exit_code, print_table

    findings, seconds = asked(checks)
    if as_document:
        click.echo(as_json(findings))
    else:
        print_table(findings, seconds, Console())
    raise SystemExit(exit_code(findings))


def confirm(question: str, declined: str, *, yes: bool, otherwise: str = "say --yes") -> None:
    """Asks whether what `question` names is to be done, unless `yes`.

    Raises:
        OperationError: it is not, which `declined` says, or nobody can be asked: then `otherwise`
            is what to do.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise OperationError(f"nobody can be asked here: {otherwise}")
    try:
        is_meant = click.confirm(question)
    except click.Abort:
        is_meant = False
    if not is_meant:
        raise OperationError(declined)


def asked(checks: Mapping[str, Sequence[Check]]) -> tuple[list[Finding], float]:
    """What `checks` find, and how many seconds it took; shows meanwhile who is still asked."""
    from rich.console import Console

    started = time.monotonic()
    left = set(checks)
    with Console(stderr=True).status(_asking(left)) as status:

        def report(subject: str) -> None:
            left.discard(subject)
            status.update(_asking(left))

        findings = run_checks(checks, report)
    return findings, time.monotonic() - started


def _asking(subjects: set[str]) -> str:
    return f"Asking {', '.join(sorted(subjects))} ..."
