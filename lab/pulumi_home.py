"""A home and a PATH for the Pulumi engine, with the tool chain's plugins where it looks for them.

The engine finds a provider plugin in `<home>/plugins/resource-<name>-v<version>/`, and its Python
language host beside its own executable or on PATH. Official parts are linked to as they are; only
for those that are the lab's own is a launcher written, and put nowhere but in the lab's directory.
"""

import errno
import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from lab.directory import CHECKOUT, LabDirectory, write_private
from lab.toolchain import PreparedTool, Source

ENGINE = "pulumi"
LANGUAGE_HOST = "pulumi-language-python"

_OWN_MODULES = {
    LANGUAGE_HOST: "lab.plugins.language",
    "pulumi-resource-vault": "lab.plugins.vault",
    "pulumi-resource-kubernetes": "lab.plugins.kubernetes",
}
_PROVIDER_PREFIX = "pulumi-resource-"
# Tools that one of the lab's own parts runs, by the variable that tells it where they are.
_TOOLS_OF = {"pulumi-resource-kubernetes": {"MESH_TRUST_HELM": "helm"}}
_NO_HARD_LINK = frozenset(
    (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP)
)
"""What the system says where a hard link cannot be: another file system, one without such links,
somebody else's file."""

_OFFICIAL_SOURCES = (Source.INSTALLED, Source.DOWNLOADED)


def prepare_home(directory: LabDirectory, tools: Mapping[str, PreparedTool]) -> None:
    """Set up the engine, its language host, its plugins and its passphrase, again on every start.

    A launcher names this Python and this checkout, and both may have changed since; what has not
    is left as it is, as an engine may be using it.
    """
    plugins = directory.pulumi_home / "plugins"
    providers = [tool for name, tool in tools.items() if name.startswith(_PROVIDER_PREFIX)]
    _prepare_engine(directory, tools)
    _remove_other_versions(plugins, providers)
    for tool in providers:
        _prepare_provider(plugins / _plugin_folder(tool), tool, tools)
    _write_command(directory)
    if not directory.passphrase.exists():
        write_private(directory.passphrase, secrets.token_urlsafe(32).encode())


def all_official(tools: Mapping[str, PreparedTool]) -> bool:
    """Tell whether the engine's every plugin is an official one."""
    return all(
        tool.source in _OFFICIAL_SOURCES
        for name, tool in tools.items()
        if name == LANGUAGE_HOST or name.startswith(_PROVIDER_PREFIX)
    )


def _prepare_engine(directory: LabDirectory, tools: Mapping[str, PreparedTool]) -> None:
    engine, host = directory.engine / ENGINE, directory.engine / LANGUAGE_HOST
    directory.engine.mkdir(mode=0o700, exist_ok=True)
    if tools[LANGUAGE_HOST].source is Source.LAB:
        # The engine looks beside its real executable: a symbolic link would lead it elsewhere.
        _duplicate(tools[ENGINE], engine)
        # The program, which the host starts, is to have the user's own search path, too.
        _write_launcher(host, _OWN_MODULES[LANGUAGE_HOST], '"${PYTHONPATH:+:$PYTHONPATH}"')
    else:
        _link(engine, tools[ENGINE].path)
        _link(host, tools[LANGUAGE_HOST].path)


def _plugin_folder(tool: PreparedTool) -> str:
    return f"{_plugin(tool)}-v{tool.version.removeprefix('v')}"


def _plugin(tool: PreparedTool) -> str:
    return tool.name.removeprefix("pulumi-")


def _remove_other_versions(plugins: Path, providers: Collection[PreparedTool]) -> None:
    for tool in providers:
        for entry in plugins.glob(f"{_plugin(tool)}-v*"):
            if entry.name != _plugin_folder(tool):
                _remove(entry)


def _prepare_provider(folder: Path, tool: PreparedTool, tools: Mapping[str, PreparedTool]) -> None:
    if tool.source is not Source.LAB and tool.path.is_dir():
        _link(folder, tool.path)
        return
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if tool.source is Source.LAB:
        used = {
            variable: tools[name].path
            for variable, name in _TOOLS_OF.get(tool.name, {}).items()
            if name in tools
        }
        _write_launcher(folder / tool.name, _OWN_MODULES[tool.name], paths=used)
    else:
        _link(folder / tool.name, tool.path)


def _link(path: Path, target: Path) -> None:
    if path.is_symlink() and path.readlink() == target:
        return
    _remove(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.symlink_to(target)


def _write_command(directory: LabDirectory) -> None:
    """Write the `pulumi` of a user's shell, which never edits the checkout's configuration."""
    checkout, python = shlex.quote(str(CHECKOUT)), shlex.quote(sys.executable)
    lab = shlex.quote(str(directory.root))
    _write_script(
        directory.commands / ENGINE,
        f'cd {checkout} && exec {python} -m lab --directory {lab} pulumi -- "$@"\n',
    )


def _duplicate(tool: PreparedTool, destination: Path) -> None:
    executable = tool.path.resolve()
    if destination.exists() and not destination.is_symlink():
        one, other = executable.stat(), destination.stat()
        # As a hard link and as a copy: copy2 keeps the time of the last change.
        if (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns):
            return
    _remove(destination)
    # A link to what somebody else installed would change with it, or outlive it.
    if tool.source is not Source.BUILT or not _has_linked(executable, destination):
        shutil.copy2(executable, destination)


def _has_linked(executable: Path, destination: Path) -> bool:
    try:
        os.link(executable, destination)
    except OSError as error:
        if error.errno not in _NO_HARD_LINK:
            raise
        return False
    return True


def _write_launcher(
    path: Path, module: str, search_path: str = "", paths: Mapping[str, Path] | None = None
) -> None:
    """Write a script that runs a module of this checkout, whatever the folder it is started in.

    `search_path` is what follows the checkout in PYTHONPATH, as the shell is to read it. `paths`
    become variables of the module's environment.
    """
    checkout, python = shlex.quote(str(CHECKOUT)), shlex.quote(sys.executable)
    exports = "".join(
        f"export {variable}={shlex.quote(str(value))}\n"
        for variable, value in (paths or {}).items()
    )
    _write_script(
        path,
        "unset PYTHONHOME\n"
        f"export PYTHONPATH={checkout}{search_path}\n"
        f"{exports}"
        f'exec {python} -P -m {module} "$@"\n',
    )


def _write_script(path: Path, lines: str) -> None:
    content = f"#!/bin/sh\n{lines}".encode()
    if path.is_symlink() or not path.exists() or path.read_bytes() != content:
        _remove(path)
        write_private(path, content, mode=0o700)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
