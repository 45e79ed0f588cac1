"""The `dev` stack in the lab: its configuration with the salt, kept out of the checkout.

The engine writes the salt of a stack's secrets into the stack's configuration file. That file is
committed, so the lab works with a copy in its own directory: the committed content as it is at the
moment, and the salt. In a lab without nodes the Vault that is to be installed is left out.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from lab.directory import CHECKOUT, LabDirectory, write_private
from lab.engine_command import EngineCommand
from lab.errors import LabError
from lab.memory import LabMemory
from lab.pulumi_home import ENGINE

STACK = "dev"

_SALT = "encryptionsalt"
_PROJECT_FILE = "Pulumi.yaml"
_INSTALLED_VAULT = "mesh-trust:vaultInstall"

_COMMANDS_WITH_CONFIGURATION = frozenset(
    (
        *("config", "destroy", "dn", "down", "import", "logs", "pre", "preview", "refresh"),
        *("up", "update", "watch"),
    )
)
"""The engine's commands that take `--config-file`."""

_WRITING_CONFIGURATION = frozenset(
    (
        *("copy", "cp", "delete", "delete-all", "env", "refresh", "remove", "remove-all"),
        *("rm", "rm-all", "set", "set-all"),
    )
)
"""What follows `config` where it writes."""

_WRITING_STACKS = frozenset(
    (
        *("change-secrets-provider", "create", "delete", "init", "migrate", "new", "remove"),
        *("rename", "rm", "setup"),
    )
)
"""What follows `stack` where it writes, moves or deletes configuration files of the project."""


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
    if not _state(directory).exists():
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


def is_set_up(directory: LabDirectory) -> bool:
    """Tell whether the stack has resources, by what the engine has written down."""
    state = _state(directory)
    if not state.exists():
        return False
    checkpoint = json.loads(state.read_text())["checkpoint"]
    return bool((checkpoint.get("latest") or {}).get("resources"))


def engine_arguments(directory: LabDirectory, arguments: Sequence[str]) -> list[str]:
    """Return the engine's arguments, with the lab's configuration file where it belongs.

    It does not belong to a command that takes none, names another one, names another stack, or
    works on another project.

    Raises:
        LabError: the command would write to the copy, which the next command makes anew, or to
            the checkout.
    """
    asked = EngineCommand.parse(arguments)
    if not (CHECKOUT / asked.values.get("--cwd", "")).resolve().is_relative_to(CHECKOUT):
        return list(arguments)
    if asked.command == "stack" and _makes_or_moves_a_stack(asked):
        raise LabError(
            f"`stack {asked.subcommand}` writes into the checkout, and the lab has the one stack "
            f"{STACK}: use the official pulumi for others, `make clean-lab` to delete this one"
        )
    if asked.command not in _COMMANDS_WITH_CONFIGURATION or "--config-file" in asked.values:
        return list(arguments)
    if (asked.stack or STACK) != STACK:
        return list(arguments)
    if asked.command == "config" and asked.subcommand in _WRITING_CONFIGURATION:
        raise LabError(
            f"the lab takes its configuration from Pulumi.{STACK}.yaml in the checkout: edit that"
        )
    behind = asked.position + 1
    ours = ["--config-file", str(configuration_file(directory))]
    return [*arguments[:behind], *ours, *arguments[behind:]]


def _makes_or_moves_a_stack(asked: EngineCommand) -> bool:
    if asked.subcommand == "select":
        return not asked.flags.isdisjoint(("-c", "--create"))
    return asked.subcommand in _WRITING_STACKS


def _state(directory: LabDirectory) -> Path:
    project = str(yaml.safe_load((CHECKOUT / _PROJECT_FILE).read_text())["name"])
    return directory.pulumi_state / ".pulumi" / "stacks" / project / f"{STACK}.json"


def _render_configuration(directory: LabDirectory) -> None:
    path = configuration_file(directory)
    content = yaml.safe_load((CHECKOUT / path.name).read_text()) or {}
    if LabMemory.read(directory).network is None:
        # Without nodes nothing can be installed: the program uses the lab's own Vault.
        content.get("config", {}).pop(_INSTALLED_VAULT, None)
    if path.exists():
        before = yaml.safe_load(path.read_text()) or {}
        if _SALT in before:
            content[_SALT] = before[_SALT]
    write_private(path, yaml.safe_dump(content, sort_keys=False).encode())
