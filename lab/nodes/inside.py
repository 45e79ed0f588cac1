"""The first process of a node's namespaces: `python -m lab.nodes.inside`.

It sets up the node's network and mounts, runs containerd, kubelet and kube-proxy, starts again what
ends, and collects the processes that lose their parent. When it ends, so does all of the node.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

import click

from lab.nodes.holding import hold, run
from lab.nodes.mounts import prepare_mounts
from lab.nodes.specification import HOME, RUNTIME_SOCKET, Specification
from lab.nodes.telling import tell

_INTERFACE = "eth0"
_APPEARS_SECONDS = 20.0
_SOCKET_SECONDS = 60.0
_KUBELET_SECONDS = 3.0
_PODS_SECONDS = 6.0
_RESTART_SECONDS = 1.0
_PAUSE_SECONDS = 0.05


class _TerminatedError(Exception):
    """SIGTERM has come."""


@click.command()
@click.argument("specification", type=click.Path(path_type=Path))
def main(specification: Path) -> None:
    """Be the first process of a node, until SIGTERM."""
    node = Specification.read(specification)
    daemons = _Daemons(node)
    try:
        signal.signal(signal.SIGTERM, _end)
        prepare_mounts(Path(node.folder))
        _prepare_network(node)
        daemons.start("containerd")
        _await_runtime()
        _import_images(node)
        daemons.start("kubelet")
        daemons.start("kube-proxy")
        while True:
            daemons.collect()
    except _TerminatedError:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        daemons.end()


class _Daemons:
    """containerd, kubelet and kube-proxy, by their process ids."""

    def __init__(self, node: Specification) -> None:
        self._node = node
        self._running: dict[int, str] = {}

    def start(self, name: str) -> None:
        """Start one of them, with a log of its own."""
        log = Path(self._node.logs) / f"node-{self._node.cluster}-{name}.log"
        environment = {"PATH": self._node.search_path, "HOME": str(HOME)}
        process = hold(_arguments(self._node, name), environment, log)
        self._running[process.pid] = name
        # Collected here with all other children: Popen is not to wait for it.
        process.returncode = 0

    def collect(self) -> None:
        """Wait for a child to end; start it again where it is one of the three."""
        ended, status = os.wait()
        name = self._running.pop(ended, None)
        if name is not None:
            code = os.waitstatus_to_exitcode(status)
            tell(f"{name} ended with {code} and is started again")
            time.sleep(_RESTART_SECONDS)
            self.start(name)

    def end(self) -> None:
        """End kubelet first, so that it does not start the pods again that are ended then."""
        for process_id, name in self._running.items():
            if name == "kubelet":
                _signal(process_id, signal.SIGTERM)
        self._until(lambda: "kubelet" not in self._running.values(), _KUBELET_SECONDS)
        # Every process of the namespaces but this one.
        _signal(-1, signal.SIGTERM)
        self._until(lambda: False, _PODS_SECONDS)

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            try:
                ended, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            self._running.pop(ended, None)
            if not ended:
                time.sleep(_PAUSE_SECONDS)


def _arguments(node: Specification, name: str) -> list[str]:
    executable = node.commands[name]
    if name == "containerd":
        return [executable, "--config", str(HOME / "containerd.toml")]
    if name == "kubelet":
        return [
            executable,
            f"--config={HOME / 'kubelet.yaml'}",
            f"--kubeconfig={HOME / 'kubelet.kubeconfig'}",
            f"--hostname-override={node.name}",
            f"--node-ip={_without_prefix(node.address)}",
            f"--root-dir={HOME / 'kubelet'}",
        ]
    return [executable, f"--config={HOME / 'kube-proxy.yaml'}"]


def _prepare_network(node: Specification) -> None:
    deadline = time.monotonic() + _APPEARS_SECONDS
    while not _has_interface(node):
        if time.monotonic() > deadline:
            raise SystemExit(f"{_INTERFACE} does not appear")
        time.sleep(_PAUSE_SECONDS)
    ip = node.commands["ip"]
    Path("/proc/sys/kernel/hostname").write_text(node.name)
    run(ip, "link", "set", "lo", "up")
    run(ip, "address", "add", node.address, "dev", _INTERFACE)
    run(ip, "link", "set", _INTERFACE, "up")
    for network, other in node.routes:
        run(ip, "route", "add", network, "via", other, "dev", _INTERFACE)
    # No packet takes these ways: kube-proxy has changed its destination by then, or refuses it. But
    # without a route whoever asks would be told that there is none, even of a Service that only
    # has no endpoint at the moment.
    run(ip, "route", "add", node.services, "dev", _INTERFACE)
    run(ip, "route", "add", node.load_balancers, "dev", "lo")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    run(node.commands["nft"], "-f", "-", content=_rules(node))


def _rules(node: Specification) -> str:
    """Render the rules of the node's own.

    What leaves it from a pod gets the node's address. What is for an address of load balancers, and
    is left by kube-proxy as it is, is for one that no Service has.
    """
    nobody = f"ip daddr {node.load_balancers} reject with icmp host-unreachable"
    return f"""\
table ip lab {{
  chain leaving {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {node.pods} ip daddr != {node.pods} masquerade
  }}
  chain passing {{
    type filter hook forward priority filter + 10; policy accept;
    {nobody}
  }}
  chain asking {{
    type filter hook output priority filter + 10; policy accept;
    {nobody}
  }}
}}
"""


def _has_interface(node: Specification) -> bool:
    # /sys still shows the host's interfaces: it was mounted before the network was left.
    return f"{_INTERFACE}@" in run(node.commands["ip"], "-oneline", "link", "show")


def _await_runtime() -> None:
    deadline = time.monotonic() + _SOCKET_SECONDS
    while not RUNTIME_SOCKET.exists():
        if time.monotonic() > deadline:
            raise SystemExit("containerd does not listen; see its log")
        time.sleep(_PAUSE_SECONDS)


def _import_images(node: Specification) -> None:
    ctr = (node.commands["ctr"], "--address", str(RUNTIME_SOCKET), "--namespace", "k8s.io")
    for image in node.images:
        run(*ctr, "images", "import", "--digests=false", image.archive)
        tell(f"has image {image.name}")


def _without_prefix(address: str) -> str:
    return address.partition("/")[0]


def _signal(process_id: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process_id, number)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise _TerminatedError


if __name__ == "__main__":
    sys.exit(main(prog_name="python -m lab.nodes.inside"))
