"""A system with Debian's tools below a folder: its apt-get does what each test says."""

import io
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from lab.toolchain import NodeSoftware, node_software

FILES = {
    "containerd": ("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr"),
    "runc": ("usr/sbin/runc",),
    "containernetworking-plugins": tuple(
        f"usr/lib/cni/{name}" for name in ("bridge", "host-local", "loopback", "portmap")
    ),
    "busybox-static": ("bin/busybox",),
    "nftables": ("usr/sbin/nft",),
    "iptables": ("usr/sbin/iptables",),
    "conntrack": ("usr/sbin/conntrack",),
    "iproute2": ("sbin/ip",),
}
"""What each package has, relative to the root."""

_APT_GET = """#!{python}
import os, signal, subprocess, sys, time
from pathlib import Path
from tests.lab.toolchain.debian import System

system = System(Path({root!r}))
arguments = sys.argv[1:]
packages = arguments[arguments.index("--") + 1:] if "--" in arguments else []
with system.calls.open("a") as calls:
    calls.write(" ".join(arguments) + "\\n")
{behaviour}
"""

INSTALLS = """
if arguments[0] == "install":
    policy = subprocess.run([system.policy, "containerd", "start"])
    for package in packages:
        system.install(package)
        if policy.returncode != 101:
            system.started.touch()
"""


def executable_file(*, static: bool, order: str = "<", bits: int = 64) -> bytes:
    """The headers of an ELF executable, which cannot be run."""
    identification = struct.pack("4sBB10x", b"\x7fELF", bits // 32, 1 if order == "<" else 2)
    kinds = [1] if static else [1, 3]  # PT_LOAD, PT_INTERP
    header = struct.pack(
        f"{order}HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, len(kinds), 0, 0, 0
    )
    segments = [struct.pack(f"{order}I52x", kind) for kind in kinds]
    return b"".join((identification, header, *segments))


@dataclass(frozen=True)
class System:
    """What of a Debian system the tool chain looks at and changes."""

    root: Path

    @property
    def policy(self) -> Path:
        return self.root / "usr/sbin/policy-rc.d"

    @property
    def calls(self) -> Path:
        """File with a line for each call of apt-get."""
        return self.root / "apt-get-calls"

    @property
    def started(self) -> Path:
        """File that is there once a service was started."""
        return self.root / "a-service-was-started"

    @property
    def installs(self) -> list[list[str]]:
        """The packages of each call that was to install any."""
        calls = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [call.split(" -- ")[1].split() for call in calls if call.startswith("install")]

    def make(self) -> None:
        for folder in ("usr/sbin", "usr/bin", "run", "var/lib/apt/lists"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "var/lib/apt/lists/main_Packages.lz4").touch()

    def put(self, file: str, content: str | bytes) -> Path:
        """Puts an executable there."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o755)
        return path

    def install(self, package: str) -> None:
        for file in FILES[package]:
            self.put(file, executable_file(static=True))

    def install_all(self, *, but: str = "") -> None:
        for package in FILES:
            if package != but:
                self.install(package)

    def apt_get(self, behaviour: str = INSTALLS) -> None:
        """Installs an apt-get that does `behaviour`, with `system`, `arguments` and `packages`."""
        self.put(
            "usr/bin/apt-get",
            _APT_GET.format(python=sys.executable, root=str(self.root), behaviour=behaviour),
        )

    def software(
        self, environment: dict[str, str], said: io.StringIO | None = None
    ) -> NodeSoftware:
        """What the tool chain finds and installs here."""
        console = Console(file=said or io.StringIO(), width=300)
        return node_software(console, environment, self.root)
