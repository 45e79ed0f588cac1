"""Whether this machine lets the lab have nodes."""

import shutil
import subprocess

from lab.directory import LabDirectory
from lab.nodes.cgroups import ROOT
from lab.nodes.mounts import COVERED
from lab.toolchain import ToolchainError

_COMMANDS = ("mount", "nsenter", "setpriv", "unshare")
"""Of util-linux."""

_ATTEMPT = """\
ip link add attempt type bridge
ip link add one type veth peer name other
mount -t tmpfs tmpfs /run
"""


def require_possible(directory: LabDirectory) -> None:
    """Return where nodes can be had in a lab of this directory, as far as the machine goes.

    Raises:
        ToolchainError: they cannot, for the reason in the message.
    """
    for covered in COVERED:
        if directory.root.is_relative_to(covered.resolve()):
            raise ToolchainError(
                f"{directory.root} is below {covered}, of which a node has its own; "
                "choose another directory (LAB_DIR)"
            )
    for command in _COMMANDS:
        if shutil.which(command) is None:
            raise ToolchainError(f"nodes need the command {command}, of the package util-linux")
    if not any(path.is_dir() for path in ROOT.glob("*")):
        raise ToolchainError(f"nodes need control groups, and {ROOT} has none")


def require_privileges() -> None:
    """Try what nodes need of the kernel, in namespaces that are gone at once.

    Raises:
        ToolchainError: the kernel refuses something.
    """
    namespaces = ("--net", "--mount", "--pid", "--uts", "--ipc", "--fork")
    done = subprocess.run(
        ["unshare", *namespaces, "sh", "-e", "-c", _ATTEMPT],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise ToolchainError(f"nodes need privileges that this root does not have: {reason}")
