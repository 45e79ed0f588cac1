"""Free TCP ports on the loopback address, remembered from one start to the next."""

import random
import socket
from collections.abc import Collection, Iterable, Mapping

from lab.errors import LabError

LOOPBACK = "127.0.0.1"

CANDIDATES = range(21_000, 30_000)
"""Below the range that Linux and macOS take outgoing connections' ports from (32768 and 49152),
so that a port is still free when a stopped server comes back for it."""


def assign_ports(
    names: Iterable[str], remembered: Mapping[str, int], in_use_by_us: Collection[str]
) -> dict[str, int]:
    """Give each name a port of its own.

    A remembered port stays with its name while it is free, or while the process of that name
    (`in_use_by_us`) is what holds it.

    Raises:
        LabError: every candidate is taken.
    """
    assigned: dict[str, int] = {}
    for name in names:
        port = remembered.get(name)
        if port is None or not (name in in_use_by_us or is_free(port)):
            port = _find(taken={*assigned.values(), *remembered.values()})
        assigned[name] = port
    return assigned


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # As the servers do: connections that linger after a stop don't count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _find(taken: Collection[int]) -> int:
    # A random order keeps two labs that start together from choosing the same ports.
    for port in random.sample(CANDIDATES, len(CANDIDATES)):
        if port not in taken and is_free(port):
            return port
    raise LabError(
        f"no free port on {LOOPBACK} from {CANDIDATES.start} to {CANDIDATES.stop - 1}: "
        "end what listens there and start again"
    )
