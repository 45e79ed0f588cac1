"""What a node's processes are told: one file (JSON) for each node, without secrets."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from lab.directory import write_private

HOME = Path("/run/node")
"""The node's folder as the node itself sees it: short, as the paths of sockets have to be."""

RUNTIME = Path("/run/containerd")
"""Where containerd keeps what is gone with a restart; its shims have no other place for theirs."""

RUNTIME_SOCKET = RUNTIME / "containerd.sock"


@dataclass(frozen=True)
class Image:
    """A container image to have on a node: its full name, and its archive."""

    name: str
    archive: str


@dataclass(frozen=True)
class Specification:
    """One node. Networks and addresses are texts as `ip` takes them, paths absolute."""

    cluster: str
    folder: str
    """The node's folder on the host."""
    logs: str
    address: str
    """With the prefix length."""
    pods: str
    services: str
    load_balancers: str
    """Network of the addresses that this cluster's Services of type LoadBalancer get."""
    routes: tuple[tuple[str, str], ...]
    """Networks of other nodes, and the addresses of these nodes."""
    commands: dict[str, str]
    """Executables by name: containerd, ctr, ip, kube-proxy, kubelet, nft."""
    search_path: str
    """Folders in which containerd, kubelet and kube-proxy find what they call."""
    images: tuple[Image, ...]
    files: dict[str, str]
    """Configuration by file name, relative to the folder."""

    @property
    def name(self) -> str:
        """The node's name in its cluster, and its host name."""
        return node_name(self.cluster)

    def write(self) -> Path:
        """Write the node's configuration, and this itself; return its path."""
        folder = Path(self.folder)
        for name, content in self.files.items():
            write_private(folder / name, content.encode())
        path = folder / "node.json"
        write_private(path, self._content())
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        content = json.loads(path.read_text())
        content["images"] = tuple(Image(**image) for image in content["images"])
        content["routes"] = tuple((network, node) for network, node in content["routes"])
        return cls(**content)

    def digest(self) -> str:
        """Return what changes when anything of the node is to change."""
        return hashlib.sha256(self._content()).hexdigest()[:16]

    def _content(self) -> bytes:
        return json.dumps(asdict(self), indent=2).encode()


def node_name(cluster: str) -> str:
    """Return the name of a cluster's one node."""
    return f"{cluster}-node"
