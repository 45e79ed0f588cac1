"""Finds tools that are on the machine already."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from .catalog import Installed, Tool
from .elf import is_statically_linked
from .places import executables, home_directory, path_folders

# Set by the lab for its users' shells: what lies there is the lab's, and nobody's installation.
LAB_DIRECTORY_VARIABLE = "MESH_TRUST_LAB_DIRECTORY"

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_VERSION_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Candidate:
    """An installed tool that was looked at."""

    path: Path
    version: str
    """As `1.2.3`; empty where the tool does not say."""
    objection: str
    """Why it will not do; empty where it will."""


def find_installed(tool: Tool, environment: Mapping[str, str]) -> Candidate | None:
    """The first installed `tool` that will do, or else the first of all; None without any.

    Raises:
        ToolchainError: the user has no home folder.
    """
    if tool.is_plugin:
        return _plugin(tool, environment)
    if tool.installed is None:
        return None
    first = None
    for path in find_executables(tool.name, environment):
        candidate = _candidate(path, tool.installed)
        if not candidate.objection:
            return candidate
        first = first or candidate
    return first


def find_executables(name: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """The executables `name` on PATH and where Pulumi's installer puts its own, bar the lab's.

    Raises:
        ToolchainError: the user has no home folder.
    """
    folders = [*path_folders(environment), home_directory(environment) / ".pulumi" / "bin"]
    return executables(name, [folder for folder in folders if not _is_labs(folder, environment)])


def _candidate(path: Path, installed: Installed) -> Candidate:
    version = version_of(path, installed.version_arguments)
    if not version:
        return Candidate(path, "", "does not say its version")
    if Version(version) not in installed.accepted:
        return Candidate(path, version, f"is {version}, needed is {installed.accepted}")
    if installed.static and not is_statically_linked(path):
        return Candidate(path, version, "is not statically linked")
    return Candidate(path, version, "")


def _plugin(tool: Tool, environment: Mapping[str, str]) -> Candidate | None:
    kind_and_name = tool.name.removeprefix("pulumi-")
    for home in (environment.get("PULUMI_HOME"), home_directory(environment) / ".pulumi"):
        if not home or _is_labs(Path(home), environment):
            continue
        folder = Path(home) / "plugins" / f"{kind_and_name}-v{tool.version}"
        # The engine marks a plugin that is still being installed with a file beside its folder.
        partial = folder.with_name(f"{folder.name}.partial")
        if os.access(folder / tool.name, os.X_OK) and not partial.exists():
            return Candidate(folder, tool.version, "")
    return None


def _is_labs(path: Path, environment: Mapping[str, str]) -> bool:
    lab = environment.get(LAB_DIRECTORY_VARIABLE)
    return bool(lab) and path.resolve().is_relative_to(Path(str(lab)).resolve())


def version_of(
    executable: Path, arguments: tuple[str, ...], *, on_error_stream: bool = False
) -> str:
    """The first `1.2.3` that it says; empty where it says none, or cannot be run."""
    try:
        answer = subprocess.run(
            [executable, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_SECONDS,
            check=False,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search(answer.stderr if on_error_stream else answer.stdout)
    return found.group() if found else ""
