"""Where things lie on this machine, by what the environment says."""

import os
import pwd
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .tools import ToolchainError


def home_directory(environment: Mapping[str, str]) -> Path:
    """HOME, or else the home that the system has for the user.

    Raises:
        ToolchainError: there is neither.
    """
    home = environment.get("HOME", "")
    if not Path(home).is_absolute():
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            home = ""
    if not Path(home).is_absolute():
        raise ToolchainError(
            f"user {os.getuid()} has no home folder; set HOME to an absolute path to have one"
        )
    return Path(home)


def path_folders(environment: Mapping[str, str]) -> list[Path]:
    """The folders on PATH, in its order."""
    return [Path(folder) for folder in environment.get("PATH", "").split(os.pathsep) if folder]


def system_folders(root: Path = Path("/")) -> list[Path]:
    """Where the programs of the system below `root` lie, on PATH or not."""
    return [root / folder / kind for folder in ("usr/local", "usr", "") for kind in ("sbin", "bin")]


def executables(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    """Every executable `name` in `folders`, in their order."""
    for folder in dict.fromkeys(folders):
        if found := shutil.which(name, path=folder):
            # Not resolved: behind a version manager's link is a program that goes by the link's
            # name.
            yield Path(found).absolute()
