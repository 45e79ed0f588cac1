"""The processes that istiods add to a lab without nodes."""

import sys
from pathlib import Path

from lab.control_plane import ControlPlane
from lab.directory import LabDirectory
from lab.istiods.istiod import Executables
from lab.ports import LOOPBACK
from lab.servers import HeartbeatProbe, Server

_SECONDS = 15.0


def istiod_name(cluster: str) -> str:
    """Return the name of a cluster's istiod, which its process and its services' port go by."""
    return f"istiod-{cluster}"


def istiod_http_name(cluster: str) -> str:
    """Return the name that the port goes by on which istiod says that it is ready."""
    return f"istiod-http-{cluster}"


def istiod_server(
    directory: LabDirectory,
    executables: Executables,
    plane: ControlPlane,
    ports: dict[str, int],
) -> Server:
    """Describe a cluster's istiod process, with the agent that may be beside it."""
    folder, grpc = directory.istiod(plane.cluster), ports[istiod_name(plane.cluster)]
    heartbeat, ready = folder / "heartbeat", folder / "ready"
    arguments = {
        "--url": plane.url,
        "--credentials": directory.cluster(plane.cluster),
        "--root": folder / "root",
        "--istiod": executables.istiod,
        "--agent": executables.agent,
        "--http": ports[istiod_http_name(plane.cluster)],
        "--grpc": grpc,
        "--heartbeat": heartbeat,
        "--ready": ready,
    }
    command = [sys.executable, "-P", "-m", "lab.istiods.keeper"]
    for option, value in arguments.items():
        command += [option, str(value)]
    return Server(
        istiod_name(plane.cluster),
        f"https://{LOOPBACK}:{grpc}",
        tuple(command),
        # Where the trust is broken istiod waits for its agent, and the lab is not to wait for both.
        ready=HeartbeatProbe(heartbeat, _SECONDS),
        health=HeartbeatProbe(Path(ready), _SECONDS),
    )
