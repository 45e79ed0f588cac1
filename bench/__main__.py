"""Measures how long the trust takes to set up, by hand and by the program: `make bench`."""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from bench.figures import Results
from bench.ground import started
from bench.machine import described
from bench.made import NotTheSameError
from bench.measured import CommandFailedError
from bench.picture import draw
from bench.report import page
from bench.run import Run
from lab.errors import LabError
from lab.nodes.possible import require_privileges
from lab.toolchain import BENCH_TOOLS, LAB_TOOLS, NODE_TOOLS, ToolchainError, node_software, prepare

DEFAULT_OUTPUT = Path(__file__).with_name("results")
RESULTS, PAGE, PICTURE = "results.json", "README.md", "results.svg"


class Numbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers of 1 or more, separated by commas."""

    name = "numbers"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Read them."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(int(each) for each in str(value).split(","))
        except ValueError:
            numbers = ()
        if not numbers or min(numbers) < 1:
            self.fail(f"{value!r} is not valid; give numbers such as 2,10,30", param, ctx)
        return numbers


@click.command()
@click.option(
    "--clusters",
    type=Numbers(),
    default="2,10,30",
    show_default=True,
    help="Numbers of workload clusters; one more API server is started than the largest.",
)
@click.option(
    "--rounds",
    type=Numbers(),
    default="3,2,2",
    show_default=True,
    help="How often each way is measured: for each number of clusters, or one for all.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_OUTPUT,
    show_default="bench/results",
    help="Folder of the results, the page and the picture.",
)
@click.option("--resume", is_flag=True, help="Keep the rounds that are in the results already.")
@click.option("--page-only", is_flag=True, help="Measure nothing: make page and picture anew.")
def main(
    clusters: Sequence[int], rounds: Sequence[int], output: Path, resume: bool, page_only: bool
) -> None:
    """Measure the guide's commands and the program, in turn, on real servers."""
    if len(rounds) not in (1, len(clusters)):
        raise click.UsageError(
            f"--rounds has {len(rounds)} numbers: give one, or one for each of --clusters"
        )
    console = Console(stderr=True)
    path = output / RESULTS
    results = Results.read(path) if path.exists() and (resume or page_only) else Results()
    if not page_only:
        began = time.monotonic()
        turns = list(rounds) if len(rounds) > 1 else [*rounds] * len(clusters)
        _measure(console, results, dict(zip(clusters, turns, strict=True)), path)
        console.print(f"measured in {(time.monotonic() - began) / 60:.0f} min")
        # Of what is kept, with its digits: the page can be made of it anew.
        results = Results.read(path)
    if not results.figures:
        raise click.UsageError(f"there are no figures in {path}: measure first")
    (output / PAGE).write_text(page(results, PICTURE))
    draw(results, output / PICTURE)
    console.print(f"written: {output / PAGE}", markup=False, soft_wrap=True)


def _measure(console: Console, results: Results, rounds: dict[int, int], path: Path) -> None:
    software = node_software(console, os.environ)
    require_privileges()
    tools = prepare(console, (*LAB_TOOLS, *NODE_TOOLS, *BENCH_TOOLS))
    results.machine = described(tools)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        started(console, Path(folder), tools, software) as ground,
    ):
        run = Run(console, ground, results, path)
        for size, turns in sorted(rounds.items()):
            run.measure(size, turns)


if __name__ == "__main__":
    try:
        main(prog_name="python -m bench")
    except (LabError, ToolchainError, NotTheSameError, CommandFailedError, OSError) as error:
        sys.exit(f"error: {error}")
