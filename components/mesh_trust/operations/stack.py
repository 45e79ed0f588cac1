"""A stack as its configuration and its outputs describe it, without its program being run."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
from pulumi.automation import CommandError, InvalidVersionError, LocalWorkspace

from mesh_trust.readiness import on_one_line
from mesh_trust.settings import InvalidConfigurationError, Look, Settings

from .errors import OperationError
from .project import PROJECT

_SECRET = "[secret]"  # noqa: S105 - what the engine shows of one
_ROOT_TYPE = "pulumi:pulumi:Stack"
_SPECIAL = "4dabf18193072939515e22adb298388d"
"""Key by which the engine marks what is no plain value (sdk/go/common/resource/sig)."""


@dataclass(frozen=True)
class Stack:
    """One environment."""

    name: str
    settings: Settings
    outputs: Mapping[str, Any]
    """Those of the last update, without the secret ones; empty before the first."""

    @classmethod
    def load(
        cls,
        name: str | None,
        folder: Path,
        look: Look | None = None,
        config_file: Path | None = None,
    ) -> "Stack":
        """Reads the stack `name`, or the selected one, of the project in `folder`.

        The `pulumi` on PATH is asked, which needs what it needs for an update as well: the login at
        the backend, and the passphrase or the key of the stack's secrets. `look` as in
        `Settings.load`; `config_file` is the stack's configuration, where it is elsewhere.

        Raises:
            OperationError: there is no such stack, or it cannot be read.
            settings.InvalidConfigurationError: its configuration cannot be used.
        """
        name, outputs = _read(name, folder, config_file, ["stack", "output", "--json"])
        shown = {key: value for key, value in outputs.items() if value != _SECRET}
        return cls(name, Settings.load(look, partial(outputs_of, folder)), shown)


@dataclass(frozen=True)
class PlannedStack:
    """A stack as it is described, whether or not its configuration can be used."""

    stack: Stack
    """With settings as far as they can be used."""
    problems: tuple[str, ...]
    """What is wrong with the rest of the configuration, each in a line."""
    own_ids: frozenset[tuple[str, str]]
    """Type and id of each resource in its state."""

    @classmethod
    def load(
        cls, name: str | None, folder: Path, config_file: Path | None = None
    ) -> "PlannedStack":
        """Reads it, as `Stack.load` does.

        Raises:
            OperationError: there is no such stack, or it cannot be read.
        """
        # Encrypted, as it is kept: nothing secret is needed of it.
        name, state = _read(name, folder, config_file, ["stack", "export"])
        resources = (state.get("deployment") or {}).get("resources") or ()
        outputs: Mapping[str, Any] = next(
            (each.get("outputs", {}) for each in resources if each["type"] == _ROOT_TYPE), {}
        )
        seen: list[Settings] = []
        problems: tuple[str, ...] = ()
        try:
            Settings.load(lambda settings, _: seen.append(settings), partial(outputs_of, folder))
        except InvalidConfigurationError as error:
            problems = error.lines
        return cls(
            Stack(name, seen[0], {key: each for key, each in outputs.items() if _is_shown(each)}),
            problems,
            frozenset((each["type"], each["id"]) for each in resources if "id" in each),
        )


def _is_shown(output: Any) -> bool:
    """Whether an output in a state is none of the engine's special values, as secrets are."""
    return not isinstance(output, Mapping) or _SPECIAL not in output


def _read(
    name: str | None, folder: Path, config_file: Path | None, besides: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """Has `pulumi.Config` read the stack's configuration.

    Gives its name, and what the engine's command `besides` prints of it.
    """
    workspace = _workspace(folder)
    name = name or _selected(workspace)
    options = ["--stack", name]
    configured = [] if config_file is None else ["--config-file", str(config_file)]
    with ThreadPoolExecutor(1) as threads:
        printed = threads.submit(_printed, workspace, [*besides, *options])
        command = ["config", "--show-secrets", "--json", *options, *configured]
        values = _printed(workspace, command)
    pulumi.runtime.set_all_config(
        {key: value["value"] for key, value in values.items()},
        [key for key, value in values.items() if value["secret"]],
    )
    pulumi.runtime.settings.configure(pulumi.runtime.settings.Settings(project=PROJECT, stack=name))
    return name, printed.result()


def outputs_of(folder: Path, stack: str) -> Mapping[str, Any]:
    """Those of a stack of the project in `folder`, without what is secret.

    Raises:
        pulumi.RunError: they cannot be told.
    """
    try:
        return _printed(_workspace(folder), ["stack", "output", "--json", "--stack", stack])
    except OperationError as error:
        raise pulumi.RunError(str(error)) from None


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


def engine_in(folder: Path) -> str:
    """The engine's command, for the project in `folder`.

    Raises:
        OperationError: there is no project, or no engine on PATH.
    """
    return str(_workspace(folder).pulumi_command.command)


def _selected(workspace: LocalWorkspace) -> str:
    with _explained():
        selected = workspace.stack()
    if selected is None:
        raise OperationError("no stack is selected: name one with --stack")
    return str(selected.name)


def _printed(workspace: LocalWorkspace, command: Sequence[str]) -> dict[str, Any]:
    """What the engine prints, which is JSON."""
    with _explained():
        done = workspace.pulumi_command.run(list(command), workspace.work_dir, {})
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise OperationError(f"pulumi cannot tell that: {_said(str(error))}") from None


def _said(message: str) -> str:
    """The engine's own line among all that the SDK puts around it."""
    found = re.search(r"^error: (.*)$", message, re.MULTILINE)
    return on_one_line(found[1] if found else message, 300)
