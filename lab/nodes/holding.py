"""Processes that hold namespaces, and the commands that are run in them."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""What a command line begins with so that the kernel ends the process when its parent is gone."""


def run(*arguments: str, inside: int | None = None, content: str | None = None) -> str:
    """Run a command in the network of the process `inside`, or here, and return what it prints.

    `content` is what it reads.

    Raises:
        RuntimeError: it failed; the message has the command and what it said.
    """
    entering = () if inside is None else ("nsenter", f"--net=/proc/{inside}/ns/net")
    done = subprocess.run(
        [*entering, *arguments], input=content, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def hold(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that ends with this one, and is not marked as one of the lab by itself.

    What it prints is added to `log`, or goes where this process's own output goes.
    """
    output = None if log is None else log.open("ab")
    try:
        return subprocess.Popen(
            [*ENDS_WITH_US, *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    finally:
        if output is not None:
            output.close()
