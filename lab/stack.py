"""The `dev` stack in the lab: its configuration with the salt, kept out of the checkout.

The engine writes the salt of a stack's secrets into the stack's configuration file. That file is
committed, so the lab works with a copy in its own directory: the committed content as it is at the
moment, and the salt.
"""

import subprocess
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import yaml

from lab.directory import CHECKOUT, LabDirectory, write_private
from lab.errors import LabError
from lab.pulumi_home import ENGINE

STACK = "dev"

_SALT = "encryptionsalt"
_PROJECT_FILE = "Pulumi.yaml"

_COMMANDS_WITH_CONFIGURATION = frozenset(
    ("config", "destroy", "import", "logs", "preview", "pre", "refresh", "up", "update", "watch")
)
"""The engine's commands that take `--config-file`."""

_WRITING_CONFIGURATION = frozenset(("cp", "refresh", "rm", "rm-all", "set", "set-all"))
"""What follows `config` where it writes."""


def configuration_file(directory: LabDirectory) -> Path:
    """Return the path of the lab's copy of the stack's configuration."""
    return directory.project / f"Pulumi.{STACK}.yaml"


def prepare_stack(directory: LabDirectory, environment: Mapping[str, str]) -> None:
    """Bring the copy up to date with the checkout, and make the stack where it is missing.

    Raises:
        LabError: the checkout has no such project or stack, or the engine refuses.
    """
    for name in (_PROJECT_FILE, f"Pulumi.{STACK}.yaml"):
        if not (CHECKOUT / name).exists():
            raise LabError(f"{CHECKOUT / name} is missing: the lab runs this checkout's program")
    write_private(directory.project / _PROJECT_FILE, (CHECKOUT / _PROJECT_FILE).read_bytes())
    _render_configuration(directory)
    project = yaml.safe_load((CHECKOUT / _PROJECT_FILE).read_text())["name"]
    state = directory.pulumi_state / ".pulumi" / "stacks" / project / f"{STACK}.json"
    if not state.exists():
        command = [str(directory.engine / ENGINE), "stack", "init", STACK, "--non-interactive"]
        outcome = subprocess.run(
            command,
            cwd=directory.project,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if outcome.returncode != 0:
            raise LabError(f"stack {STACK} cannot be made: {outcome.stderr.strip()}")


def engine_arguments(directory: LabDirectory, arguments: Sequence[str]) -> list[str]:
    """Return the engine's arguments, with the lab's configuration file where it belongs.

    It does not belong to a command that takes none, names another one, or names another stack.

    Raises:
        LabError: the command would write to the copy, which the next command makes anew.
    """
    command, *others = arguments or [""]
    if command not in _COMMANDS_WITH_CONFIGURATION or _names(others, "--config-file"):
        return list(arguments)
    stack = _value(others, "--stack") or _value(others, "-s") or STACK
    if stack != STACK:
        return list(arguments)
    if command == "config" and _WRITING_CONFIGURATION.intersection(others):
        raise LabError(
            f"the lab takes its configuration from Pulumi.{STACK}.yaml in the checkout: edit that"
        )
    return [command, "--config-file", str(configuration_file(directory)), *others]


def _render_configuration(directory: LabDirectory) -> None:
    path = configuration_file(directory)
    content = yaml.safe_load((CHECKOUT / path.name).read_text()) or {}
    if path.exists():
        before = yaml.safe_load(path.read_text()) or {}
        if _SALT in before:
            content[_SALT] = before[_SALT]
    write_private(path, yaml.safe_dump(content, sort_keys=False).encode())


def _names(arguments: Sequence[str], option: str) -> bool:
    return any(each == option or each.startswith(f"{option}=") for each in arguments)


def _value(arguments: Sequence[str], option: str) -> str | None:
    for each, following in pairwise([*arguments, ""]):
        if each == option:
            return following
        if each.startswith(f"{option}="):
            return each.removeprefix(f"{option}=")
    return None
