"""Says of the software of nodes which version it is, and where it came from."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from .installed import version_of
from .node_software import CNI, NodeSoftware
from .places import path_folders, system_folders
from .tools import PreparedTool, Source

_USUAL_ARGUMENTS = ("--version",)
_ARGUMENTS = {"busybox-static": ("--help",), "iproute2": ("-V",), CNI: ()}
# Without the epoch before it and what Debian adds to it.
_UPSTREAM_VERSION = re.compile(r"(?:\d+:)?(\d+(?:\.\d+)*)")


def node_packages(
    software: NodeSoftware, environment: Mapping[str, str]
) -> tuple[PreparedTool, ...]:
    """One for each package of the software, by its name, with the path that stands for it."""
    path = os.pathsep.join(map(str, (*path_folders(environment), *system_folders())))
    query = shutil.which("dpkg-query", path=path)
    files = software.by_package()
    debian = _debian_versions(Path(query), files) if query else {}
    return tuple(
        PreparedTool(name, debian[name], Source.DEBIAN, file)
        if name in debian
        else PreparedTool(name, _said_version(name, file), Source.INSTALLED, file)
        for name, file in files.items()
    )


def _said_version(package: str, file: Path) -> str:
    arguments = _ARGUMENTS.get(package, _USUAL_ARGUMENTS)
    return version_of(file, arguments, on_error_stream=package == CNI) or "unknown"


def _debian_versions(query: Path, files: Mapping[str, Path]) -> dict[str, str]:
    """Versions of those `files` that are of the Debian package by whose name they go."""
    names = {package: set(_names(file)) for package, file in files.items()}
    owners: dict[str, str] = {}
    for line in _answer(query, "--search", "--", *sorted(set().union(*names.values()))):
        owner, _, file = line.partition(": ")
        # Where packages for several architectures can be installed, it is named with its own.
        owners[file] = owner.partition(":")[0]
    owned = [package for package in files if package in {owners.get(it) for it in names[package]}]
    if not owned:
        return {}
    versions = {}
    for line in _answer(query, "--show", "--showformat=${Package} ${Version}\\n", *owned):
        package, version = line.split()
        if found := _UPSTREAM_VERSION.match(version):
            versions[package] = found[1]
    return versions


def _names(file: Path) -> Iterable[str]:
    """What the packages may call it: they know neither alternatives nor that /bin is /usr/bin."""
    real = str(file.resolve())
    return (real, real.removeprefix("/usr"))


def _answer(query: Path, *arguments: str) -> list[str]:
    # It fails when it does not know one of them, and tells the others.
    return subprocess.run(
        [query, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout.splitlines()
