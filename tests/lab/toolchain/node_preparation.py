"""A run of its own that prepares the software of nodes, for tests of runs at once or killed."""

import os
import signal
import sys
from pathlib import Path
from unittest.mock import patch

from rich.console import Console

from lab.toolchain import activity, node_software


def main(root: Path) -> None:
    """Prepares it in the system below `root`, and prints which packages it installed."""
    with (
        patch.object(os, "geteuid", lambda: 0),
        patch.object(activity, "_HEARTBEAT_SECONDS", 0.2),
    ):
        software = node_software(Console(stderr=True, width=200), os.environ, root)
    print(*software.installed_now)


if __name__ == "__main__":
    # Shells have what they start in the background ignore interrupts, and all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(Path(sys.argv[1]))
