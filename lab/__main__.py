"""Command line of the lab: `python -m lab`."""

import json
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lab.directory import CHECKOUT, write_private
from lab.engine_locks import remove_stale_locks
from lab.errors import LabError
from lab.installed_vault import installed_vault
from lab.istiods.istiod import why_not
from lab.lab import DEFAULT_WORKLOAD_CLUSTERS, UNWANTED, ExistingLab, Lab, ServerStatus
from lab.nodes.possible import require_possible, require_privileges
from lab.nodes.watches import require_watches
from lab.processes import marks
from lab.pulumi_home import ENGINE
from lab.stack import STACK, engine_arguments, prepare_stack
from lab.toolchain import (
    ISTIOD_TOOLS,
    LAB_TOOLS,
    NODE_TOOLS,
    NodeSoftware,
    Toolchain,
    ToolchainError,
    node_software,
    prepare,
    tool_table,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--directory",
    envvar="LAB_DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=CHECKOUT / ".lab",
    show_default=".lab in the checkout",
    help="Where the lab keeps everything; LAB_DIR does the same.",
)
@click.pass_context
def main(context: click.Context, directory: Path) -> None:
    """Three Kubernetes API servers and a Vault on this machine, for the dev stack."""
    context.obj = ExistingLab(directory)


@main.command()
def tools() -> None:
    """Prepare the tools and tell where each comes from.

    Where there can be nodes, what they need is prepared as well.
    """
    progress = Console(stderr=True)
    software = _node_software(progress)
    Console().print(tool_table(_prepared(progress, software, istiods=True), software))


@main.command()
@click.option(
    "--cluster",
    "clusters",
    multiple=True,
    default=DEFAULT_WORKLOAD_CLUSTERS,
    show_default=", ".join(DEFAULT_WORKLOAD_CLUSTERS),
    help="A workload cluster to have; those that are there already stay.",
)
@click.option(
    "--nodes/--no-nodes",
    default=True,
    help="Run pods on real nodes, where that is possible, or do without.",
    show_default=True,
)
@click.option(
    "--istiods/--no-istiods",
    default=True,
    help="Without nodes, run istiod on this machine, or do without.",
    show_default=True,
)
@click.option("--no-hints", is_flag=True, help="Don't tell what can be done next.")
@click.pass_obj
def up(
    existing: ExistingLab, clusters: Sequence[str], nodes: bool, istiods: bool, no_hints: bool
) -> None:
    """Start the servers, or mend what is there of them."""
    console = Console()
    progress = Console(stderr=True)
    software: NodeSoftware | ToolchainError = ToolchainError("they were not asked for")
    if nodes:
        software = _node_software(progress, existing, 1 + len(clusters))
    if istiods and isinstance(software, ToolchainError) and (reason := why_not()):
        click.echo(f"No istiod: it cannot be shown a folder as if that were all: {reason}.")
        istiods = False
    toolchain = _prepared(progress, software, istiods=istiods)
    console.print(tool_table(toolchain, software))
    if isinstance(software, ToolchainError):
        runs = "istiod runs on this machine" if istiods else "no istiod runs"
        click.echo(f"No nodes: {software}. The lab's own Vault is used, no pod runs, and {runs}.")
        lab = Lab(existing.directory.root, toolchain)
    else:
        lab = Lab(existing.directory.root, toolchain, software)
    lab.up(progress, clusters, istiods=istiods)
    console.print(_status_table(lab.status()))
    if not no_hints:
        click.echo(
            "Next:\n"
            "  make up                                  set up the trust in the lab\n"
            '  eval "$(.venv/bin/python -m lab env)"    use the lab from this shell\n'
            "  make down                                take the trust down and stop the lab"
        )


@main.command()
@click.pass_obj
def down(existing: ExistingLab) -> None:
    """Stop the servers; their data stays for the next start."""
    existing.stop()
    click.echo(f"The lab in {existing.directory.root} is stopped.")


@main.command()
@click.pass_obj
def clean(existing: ExistingLab) -> None:
    """Stop the servers and delete everything of the lab."""
    existing.clean()
    click.echo(f"The lab in {existing.directory.root} is deleted.")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def status(existing: ExistingLab, as_json: bool) -> None:
    """Tell how each server does; exit code 1 when one is not well."""
    statuses = existing.status()
    if as_json:
        click.echo(json.dumps([asdict(each) for each in statuses], indent=2))
    elif statuses:
        Console().print(_status_table(statuses))
    else:
        click.echo("There is no lab; start one with `make up`.")
    if not statuses or any(each.failure for each in statuses):
        sys.exit(1)


@main.command()
@click.pass_obj
def env(existing: ExistingLab) -> None:
    """Print `export` lines for a shell; secrets stay in their files."""
    variables = existing.environment()
    token_file = existing.directory.vault_root_token
    installed = None if "VAULT_ADDR" in variables else installed_vault(existing.directory)
    if installed is not None:
        token_file = existing.directory.installed_vault_token
        write_private(token_file, installed.root_token.encode())
        variables |= {"VAULT_ADDR": installed.address, "VAULT_TOKEN": installed.root_token}
    click.echo(f"unset {' '.join(UNWANTED)}")
    for name, value in variables.items():
        if name == "VAULT_TOKEN":
            click.echo(f'export {name}="$(cat {shlex.quote(str(token_file))})"')
        elif name == "PATH":
            click.echo(f'export PATH={shlex.quote(str(existing.directory.commands))}:"$PATH"')
        else:
            click.echo(f"export {name}={shlex.quote(value)}")


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def pulumi(existing: ExistingLab, arguments: Sequence[str]) -> NoReturn:
    """Run the engine on this checkout's program, in the lab.

    The stack is `dev` where the arguments name no other. Write them after `--`.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    # The shell's own choice of a stack is one of another backend.
    environment = {**inherited, **existing.environment(), "PULUMI_STACK": STACK}
    environment |= marks(existing.directory, ENGINE)
    engine = existing.directory.engine / ENGINE
    if not engine.exists():
        raise LabError(f"{engine} is missing or leads nowhere: `make up` sets it up again")
    for lock in remove_stale_locks(existing.directory):
        click.echo(f"An earlier run was killed; its lock {lock.name} is removed.", err=True)
    # Two first commands at once would each make the stack, with a salt of its own.
    with existing.locked(Console(stderr=True)):
        prepare_stack(existing.directory, environment)
    os.chdir(CHECKOUT)
    # The engine takes this process's place: signals and exit code are its own.
    os.execve(engine, [str(engine), *engine_arguments(existing.directory, arguments)], environment)


def _node_software(
    progress: Console, lab: ExistingLab | None = None, clusters: int = 0
) -> NodeSoftware | ToolchainError:
    """Find or install what nodes need, or return the reason why there can be none."""
    try:
        if lab is not None:
            require_possible(lab.directory)
        software = node_software(progress, os.environ)
        require_privileges()
        if lab is not None and not lab.has_nodes():
            require_watches(clusters)
    except ToolchainError as error:
        return error
    return software


def _prepared(
    progress: Console, software: NodeSoftware | ToolchainError, *, istiods: bool
) -> Toolchain:
    if not isinstance(software, ToolchainError):
        return prepare(progress, (*LAB_TOOLS, *NODE_TOOLS))
    return prepare(progress, (*LAB_TOOLS, *ISTIOD_TOOLS) if istiods else LAB_TOOLS)


def _status_table(statuses: Sequence[ServerStatus]) -> Table:
    # Narrow enough for 80 columns, as long as all is well.
    table = Table(box=None, padding=(0, 1, 0, 0))
    for column in ("process", "address", "uptime", "memory"):
        table.add_column(column, no_wrap=True)
    table.add_column("health")
    for each in statuses:
        table.add_row(
            each.name,
            each.address,
            "" if each.uptime_seconds is None else _duration(each.uptime_seconds),
            "" if each.memory_bytes is None else f"{each.memory_bytes / 2**20:.0f} MiB",
            "[green]healthy" if each.failure is None else f"[red]{escape(each.failure)}",
        )
    return table


def _duration(seconds: float) -> str:
    minutes, remainder = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{remainder:02}"


if __name__ == "__main__":
    try:
        main(prog_name="python -m lab")
    except (LabError, ToolchainError, OSError) as error:
        sys.exit(f"error: {error}")
