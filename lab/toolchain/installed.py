"""Finds tools that are on the machine already."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from .catalog import Tool

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
    """The installed `tool`, or the one that would have been it; None where there is none."""
    if tool.is_plugin:
        return _plugin(tool, environment)
    path = find_executable(tool.name, environment)
    if path is None or tool.installed is None:
        return None
    version = _version_of(path, tool.installed.version_arguments)
    if not version:
        return Candidate(path, "", "does not say its version")
    if Version(version) not in tool.installed.accepted:
        return Candidate(path, version, f"is {version}, needed is {tool.installed.accepted}")
    return Candidate(path, version, "")


def find_executable(name: str, environment: Mapping[str, str]) -> Path | None:
    """The executable `name` on PATH or where Pulumi's installer puts its own, if not the lab's."""
    folders = environment.get("PATH", "").split(os.pathsep)
    folders.append(str(_home(environment) / ".pulumi" / "bin"))
    usable = [folder for folder in folders if folder and not _is_labs(Path(folder), environment)]
    found = shutil.which(name, path=os.pathsep.join(usable))
    # Not resolved: behind a version manager's link is a program that goes by the link's name.
    return Path(found).absolute() if found else None


def _plugin(tool: Tool, environment: Mapping[str, str]) -> Candidate | None:
    kind_and_name = tool.name.removeprefix("pulumi-")
    for home in (environment.get("PULUMI_HOME"), _home(environment) / ".pulumi"):
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


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or Path.home())


def _version_of(executable: Path, arguments: tuple[str, ...]) -> str:
    try:
        answer = subprocess.run(
            [executable, *arguments],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_SECONDS,
            check=False,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search(answer.stdout)
    return found.group() if found else ""
