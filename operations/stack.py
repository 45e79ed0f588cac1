"""A stack as its configuration and its outputs describe it, without its program being run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.automation import CommandError, InvalidVersionError, LocalWorkspace

from components.readiness import on_one_line
from settings import Look, Settings

from .errors import OperationError

PROJECT = "mesh-trust"


@dataclass(frozen=True)
class Stack:
    """One environment."""

    name: str
    settings: Settings
    outputs: Mapping[str, Any]
    """Those of the last update, without the secret ones; empty before the first."""

    @classmethod
    def load(cls, name: str | None, folder: Path, look: Look | None = None) -> "Stack":
        """Reads the stack `name`, or the selected one, of the project in `folder`.

        The `pulumi` on PATH is asked, which needs what it needs for an update as well: the login at
        the backend, and the passphrase or the key of the stack's secrets. `look` as in
        `Settings.load`.

        Raises:
            OperationError: there is no such stack, or it cannot be read.
            settings.InvalidConfigurationError: its configuration cannot be used.
        """
        workspace = _workspace(folder)
        name = name or _selected(workspace)
        values = _asked(workspace.get_all_config, name)
        outputs = _asked(workspace.stack_outputs, name)
        pulumi.runtime.set_all_config(
            {key: value.value for key, value in values.items()},
            [key for key, value in values.items() if value.secret],
        )
        pulumi.runtime.settings.configure(
            pulumi.runtime.settings.Settings(project=PROJECT, stack=name)
        )
        shown = {key: output.value for key, output in outputs.items() if not output.secret}
        return cls(name, Settings.load(look), shown)


def _workspace(folder: Path) -> LocalWorkspace:
    if not (folder / "Pulumi.yaml").is_file():
        raise OperationError(
            f"{folder} has no Pulumi.yaml: run this in the project's folder, or name it with --cwd"
        )
    try:
        return LocalWorkspace(work_dir=str(folder))
    except (FileNotFoundError, InvalidVersionError, CommandError) as error:
        raise OperationError(
            f"the Pulumi CLI cannot be used ({on_one_line(str(error), 150)}): install it, and put "
            "it on PATH"
        ) from None


def _selected(workspace: LocalWorkspace) -> str:
    selected = _asked(workspace.stack)
    if selected is None:
        raise OperationError("no stack is selected: name one with --stack")
    return str(selected.name)


def _asked(ask: Any, *arguments: Any) -> Any:
    try:
        return ask(*arguments)
    except CommandError as error:
        raise OperationError(f"pulumi cannot tell that: {_said(str(error))}") from None


def _said(message: str) -> str:
    """The engine's own line among all that the SDK puts around it."""
    found = re.search(r"^error: (.*)$", message, re.MULTILINE)
    return on_one_line(found[1] if found else message, 300)
