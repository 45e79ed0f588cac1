"""Folders of a pinned Go module, as they are published with it."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from .catalog import ModuleFiles
from .go_build import Go, build_environment
from .tools import ToolchainError


def files_key(files: ModuleFiles) -> str:
    """Names the files by what decides them: pins, sums and folders."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update(hashlib.sha256((files.pins / name).read_bytes()).digest())
    digest.update("\0".join([files.module, *files.paths]).encode())
    return digest.hexdigest()[:24]


def copy_files(
    files: ModuleFiles,
    go: Go,
    folder: Path,
    environment: Mapping[str, str],
    step: Callable[[str], None],
) -> None:
    """Copies them into `folder`, each under the last part of its path.

    Go has downloaded the module and compared it with the pinned sum before.

    Raises:
        ToolchainError: the module cannot be had, or has no such files.
    """
    step("downloading the module")
    done = subprocess.run(
        [go.executable, "mod", "download", "-json", files.module],
        cwd=files.pins,
        env=build_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = " ".join((done.stdout + done.stderr).split())
        raise ToolchainError(f"Go cannot download {files.module}: {said}")
    source = Path(json.loads(done.stdout)["Dir"])
    for path in files.paths:
        _copy(source / path, folder / Path(path).name)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        # Without the modes: what Go keeps cannot be written, and so could not be removed.
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        for each in (target, *target.rglob("*")):
            each.chmod(0o755 if each.is_dir() else 0o644)
    elif source.is_file():
        shutil.copyfile(source, target)
    else:
        raise ToolchainError(f"the module has no {source}")
