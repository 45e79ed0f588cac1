"""What a cloud would do for a cluster: `python -m lab.nodes.caretaker`.

Services of type LoadBalancer get an address, and claims of volumes get a folder of the lab.
"""

import threading
import time
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

import click
import requests

from lab.credentials import IdentityFiles
from lab.nodes.cluster_access import WATCH_SECONDS, ClusterAccess, Objects
from lab.nodes.load_balancers import care_for_services
from lab.nodes.volumes import care_for_claims, care_for_volumes

_PAUSE_SECONDS = 1.0


@click.command()
@click.option("--url", required=True, help="The API server's.")
@click.option("--credentials", required=True, type=click.Path(path_type=Path), help="Folder.")
@click.option("--addresses", required=True, help="Network of the load balancers' addresses.")
@click.option("--volumes", required=True, type=click.Path(path_type=Path), help="Folder.")
@click.option("--heartbeat", required=True, type=click.Path(path_type=Path), help="File.")
def main(url: str, credentials: Path, addresses: str, volumes: Path, heartbeat: Path) -> None:
    """Look after one cluster until it is ended."""
    network = IPv4Network(addresses)

    def cluster() -> ClusterAccess:
        administrator = IdentityFiles(credentials / "admin.crt", credentials / "admin.key")
        return ClusterAccess(url, credentials / "ca.crt", administrator)

    services, claims, kept = cluster(), cluster(), cluster()
    beats = [time.monotonic()] * 3

    def follow(index: int, each: ClusterAccess, path: str, care: Callable[[Objects], None]) -> None:
        while True:
            try:
                answer = each.ask("GET", path)
                care(answer["items"])
                beats[index] = time.monotonic()
                each.await_change(path, answer["metadata"]["resourceVersion"])
            except requests.RequestException as error:
                click.echo(f"{path}: {error}", err=True)
                time.sleep(_PAUSE_SECONDS)

    duties: list[tuple[ClusterAccess, str, Callable[[Objects], None]]] = [
        (services, "/api/v1/services", lambda found: care_for_services(services, found, network)),
        (
            claims,
            "/api/v1/persistentvolumeclaims",
            lambda found: care_for_claims(claims, found, volumes),
        ),
        (
            kept,
            "/api/v1/persistentvolumes",
            lambda found: care_for_volumes(kept, found, volumes),
        ),
    ]
    for index, (each, path, care) in enumerate(duties):
        threading.Thread(target=follow, args=(index, each, path, care), daemon=True).start()
    while True:
        # All of them work, or the process is not well.
        if time.monotonic() - min(beats) < 3 * WATCH_SECONDS:
            heartbeat.touch(mode=0o600)
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main(prog_name="python -m lab.nodes.caretaker")
