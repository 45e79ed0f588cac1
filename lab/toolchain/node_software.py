"""Software of nodes that comes with the system, or from its Debian packages."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from .activity import Activity
from .apt import Apt
from .cache import cache_root
from .catalog import OS
from .elf import is_statically_linked
from .places import executables, path_folders, system_folders
from .tools import ToolchainError

CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap")
# Of Debian, of most others, of Fedora.
_CNI_FOLDERS = (Path("usr/lib/cni"), Path("opt/cni/bin"), Path("usr/libexec/cni"))
CNI = "containernetworking-plugins"
# Executables by the Debian package that has them.
_EXECUTABLES = {
    "containerd": ("containerd", "containerd-shim-runc-v2", "ctr"),
    "runc": ("runc",),
    "busybox-static": ("busybox",),
    "nftables": ("nft",),
    "iptables": ("iptables",),
    "conntrack": ("conntrack",),
    "iproute2": ("ip",),
}
PACKAGES = (*_EXECUTABLES, CNI)
_SUBJECT = "node packages"


@dataclass(frozen=True)
class NodeSoftware:
    """Absolute paths of executables, and of the folder with the CNI plugins."""

    containerd: Path
    containerd_shim: Path
    """`containerd-shim-runc-v2`: its folder has to be on containerd's PATH."""
    ctr: Path
    runc: Path
    cni: Path
    """Folder that holds all of CNI_PLUGINS."""
    busybox: Path
    """Statically linked."""
    nft: Path
    iptables: Path
    conntrack: Path
    ip: Path
    installed_now: tuple[str, ...] = ()
    """Debian packages that were not there before."""
    seconds: float = 0.0
    """How long it took to find and to install."""

    def by_package(self) -> dict[str, Path]:
        """The path that stands for each of PACKAGES."""
        return {
            "containerd": self.containerd,
            "runc": self.runc,
            CNI: self.cni / CNI_PLUGINS[0],
            "busybox-static": self.busybox,
            "nftables": self.nft,
            "iptables": self.iptables,
            "conntrack": self.conntrack,
            "iproute2": self.ip,
        }


def node_software(
    console: Console, environment: Mapping[str, str], root: Path = Path("/")
) -> NodeSoftware:
    """Finds what nodes need, and has apt-get install what is missing; nothing is started.

    What is found is used as it is: on PATH, or where it usually lies below `root`.

    Raises:
        ToolchainError: there can be no nodes here, for the reason that the message gives in one
            line. Or the user has no home folder.
    """
    if OS != "linux":
        raise ToolchainError(f"nodes need Linux, and this is {OS}")
    if os.geteuid() != 0:
        raise ToolchainError(f"nodes need root, and this is user {os.geteuid()}")
    search = _Search(environment, root)
    apt = Apt(environment, root)
    installed_now: tuple[str, ...] = ()
    with Activity(console, _SUBJECT) as activity:
        if search.missing() or apt.may_be_at_work:
            try:
                with apt.locked(lambda: activity.step("waiting for another run that installs")):
                    # Another run may have installed it meanwhile.
                    if packages := tuple(search.missing()):
                        _install(packages, search, apt, environment, console, activity)
                        installed_now = packages
            except OSError as error:
                raise ToolchainError(f"packages for nodes cannot be installed: {error}") from error
        return search.result(installed_now, activity.seconds)


def _install(
    packages: tuple[str, ...],
    search: "_Search",
    apt: Apt,
    environment: Mapping[str, str],
    console: Console,
    activity: Activity,
) -> None:
    names = ", ".join(packages)
    if not apt.is_there:
        raise ToolchainError(
            f"nodes need {', '.join(search.missing().values())}, and there is no apt-get to "
            f"install the Debian packages {names}; install them in the way of this system"
        )
    log = cache_root(environment) / "log" / "node-packages.log"
    console.print(f"{_SUBJECT}: installing {names}", highlight=False)
    activity.step("starting apt-get")
    try:
        apt.install(packages, log, activity.step)
    except ToolchainError as error:
        raise ToolchainError(f"nodes need the Debian packages {names}: {error}") from error
    if missing := search.missing():
        raise ToolchainError(
            f"apt-get installed {names}, and still there is no {', '.join(missing.values())}; "
            f"see {log}"
        )
    console.print(f"{_SUBJECT}: installed in {activity.seconds:.0f} s", highlight=False)


class _Search:
    def __init__(self, environment: Mapping[str, str], root: Path) -> None:
        self._folders = [*path_folders(environment), *system_folders(root)]
        self._cni_folders = [root / folder for folder in _CNI_FOLDERS]

    def missing(self) -> dict[str, str]:
        """Packages of which something is missing, with what that is, in words."""
        missing = {}
        for package, names in _EXECUTABLES.items():
            if absent := [name for name in names if self._executable(name) is None]:
                missing[package] = ", ".join(absent)
        if "busybox" in missing.get("busybox-static", ""):
            missing["busybox-static"] = "a statically linked busybox"
        if self._cni() is None:
            missing[CNI] = f"the CNI plugins {', '.join(CNI_PLUGINS)}"
        return missing

    def result(self, installed_now: tuple[str, ...], seconds: float) -> NodeSoftware:
        """Everything, once nothing is missing."""

        def path(name: str) -> Path:
            found = self._executable(name)
            assert found is not None
            return found

        cni = self._cni()
        assert cni is not None
        return NodeSoftware(
            containerd=path("containerd"),
            containerd_shim=path("containerd-shim-runc-v2"),
            ctr=path("ctr"),
            runc=path("runc"),
            cni=cni,
            busybox=path("busybox"),
            nft=path("nft"),
            iptables=path("iptables"),
            conntrack=path("conntrack"),
            ip=path("ip"),
            installed_now=installed_now,
            seconds=seconds,
        )

    def _executable(self, name: str) -> Path | None:
        return next(self._candidates(name), None)

    def _candidates(self, name: str) -> Iterator[Path]:
        for path in executables(name, self._folders):
            # It makes up the images of the lab, with no library beside it.
            if name != "busybox" or is_statically_linked(path):
                yield path

    def _cni(self) -> Path | None:
        return next(filter(_has_cni_plugins, self._cni_folders), None)


def _has_cni_plugins(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in CNI_PLUGINS)
