"""A run of its own that prepares one tool, for tests of runs at the same time or killed."""

import signal
import sys
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

from rich.console import Console

from lab.toolchain import activity, prepare
from lab.toolchain.catalog import GoBuild, Tool


def main(module: Path) -> None:
    """Prepares the tool `tiny` from its module, and prints its path."""
    tool = Tool("tiny", "1.2.3", build=GoBuild(module, ".", {"main.version": "1.2.3"}))
    with (
        # Its package has a function of the same name, which hides the module.
        patch.object(import_module("lab.toolchain.prepare"), "TOOLS", (tool,)),
        patch.object(activity, "_HEARTBEAT_SECONDS", 0.2),
    ):
        print(prepare(Console(stderr=True, width=200))["tiny"].path)


if __name__ == "__main__":
    # Shells have what they start in the background ignore interrupts, and all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(Path(sys.argv[1]))
