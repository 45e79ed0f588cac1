"""Commands that the program prints for its user."""

import re
from collections.abc import Mapping
from pathlib import Path

from tests.commands import run_command


def named_in(output: str) -> set[str]:
    """What a preview says that is there already."""
    # Progress is printed too, and has the first line of what comes at the end.
    _, _, rest = output.rpartition("nothing of it is overwritten:\n")
    listed, _, _ = rest.partition("To take it over")
    return {line.strip() for line in listed.splitlines()} - {""}


def commands_in(output: str) -> list[str]:
    """The commands in what was printed, each as it stands there."""
    commands: list[str] = []
    lines = iter(output.splitlines())
    for line in lines:
        if re.match(r" *pulumi (up|import) ", line):
            commands.append(line)
        elif re.match(r" *echo '", line):
            command = [line]
            while not command[-1].endswith("--file /dev/stdin"):
                command.append(next(lines))
            commands.append("\n".join(command))
    # A command that fails is told of more than once.
    return list(dict.fromkeys(commands))


def run_as_printed(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Runs a command in a shell; gives what it printed."""
    done = run_command(["bash", "-c", command], folder, dict(environment))
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout
