"""Where the client's credentials are put that it can use only as files."""

import atexit
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

# In this order; the first is emptied by the system itself.
_PARENT_VARIABLES = ("XDG_RUNTIME_DIR", "PULUMI_HOME")
_PREFIX = "pulumi-resource-kubernetes-"


@functools.cache
def credentials_folder() -> Path:
    """Return this process's own folder (mode 0700), which goes with the process.

    A process that was killed leaves its folder behind; the next one removes it.
    """
    parent = _parent()
    for left_over in _left_over(parent):
        shutil.rmtree(left_over, ignore_errors=True)  # another process may be at it as well
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    atexit.register(shutil.rmtree, folder)
    return folder


def _parent() -> Path:
    for variable in _PARENT_VARIABLES:
        folder = os.environ.get(variable)
        if folder and Path(folder).is_dir():
            return Path(folder)
    return Path(tempfile.gettempdir())


def _left_over(parent: Path) -> Iterator[Path]:
    for folder in parent.glob(f"{_PREFIX}*-*"):
        number = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdecimal() and not psutil.pid_exists(int(number)) and _is_ours(folder):
            yield folder


def _is_ours(folder: Path) -> bool:
    # In a folder that all users share, anyone may have made it.
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
