"""How long `mesh-trust verify` takes, by the number of clusters: `python -m bench.verify_time`.

Each cluster is an API server of its own, of about 240 MB, so that 20 need 5 GB and some minutes to
start. All of them are set up by one update; then verify is run for the first few, and for all.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from lab.lab import Lab
from lab.toolchain import LAB_TOOLS, prepare
from tests.operations.command import MeshTrust
from tests.operations.healthy import make_healthy
from tests.program.program import Program, clusters

_AT_A_TIME = 5


@click.command()
@click.argument("counts", type=click.IntRange(min=1), nargs=-1)
@click.option("--runs", type=click.IntRange(min=1), default=3, show_default=True)
def main(counts: Sequence[int], runs: int) -> None:
    """Measure verify for these COUNTS of clusters.  [default: 2 20]"""
    counts = sorted(counts or (2, 20))
    console = Console(stderr=True)
    names = [f"c{number:02}" for number in range(1, counts[-1] + 1)]
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "lab", prepare(console, LAB_TOOLS))
        try:
            # A server has a minute and a half to start, which all at once would not keep.
            for number in range(_AT_A_TIME, len(names) + _AT_A_TIME, _AT_A_TIME):
                lab.up(console, names[:number])
            program = Program(lab, Path(folder))
            program.configure(clusters=clusters(*names))
            console.print(f"setting up the trust of {len(names)} clusters ...")
            program.up()
            root = program.outputs()["rootCertificate"]
            for name in names:
                make_healthy(lab, name, root)
            Console().print(_measured(program, names, counts, runs))
        finally:
            lab.clean()


def _measured(program: Program, names: Sequence[str], counts: Sequence[int], runs: int) -> Table:
    table = Table("clusters", "findings", "seconds", "with --handshake", box=None)
    for count in counts:
        program.configure(clusters=clusters(*names[:count]))
        plain = [_timed(program) for _ in range(runs)]
        shaken = [_timed(program, "--handshake") for _ in range(runs)]
        findings = plain[0][1]
        table.add_row(
            str(count),
            str(findings),
            f"{min(each for each, _ in plain):.1f}",
            f"{min(each for each, _ in shaken):.1f}",
        )
    return table


def _timed(program: Program, *options: str) -> tuple[float, int]:
    """Seconds of a whole run, Python's start and the engine's answers included; its findings."""
    started = time.monotonic()
    told = MeshTrust(program).run("verify", "--json", *options)
    seconds = time.monotonic() - started
    bad = {check for check, _ in told.those("failed", "unknown")}
    # Where fewer clusters are configured than there are.
    assert bad <= {"stack-outputs", "administrator"}, told.output
    return seconds, len(told.findings)


if __name__ == "__main__":
    main()
