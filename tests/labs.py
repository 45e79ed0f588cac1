"""Labs that live as long as the tests that share them."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from lab.lab import Lab
from lab.toolchain import Toolchain


@contextmanager
def started_lab(folder: Path, toolchain: Toolchain, clusters: Sequence[str]) -> Iterator[Lab]:
    """A lab without nodes in `folder`, with these workload clusters, started."""
    lab = Lab(folder / "lab", toolchain)
    try:
        lab.up(Console(file=io.StringIO()), clusters)
        yield lab
    finally:
        lab.clean()
