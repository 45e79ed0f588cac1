"""What a cloud would do for a cluster: `python -m lab.nodes.caretaker`.

Services of type LoadBalancer get an address, and claims of volumes get a folder of the lab.
"""

import threading
import time
from ipaddress import IPv4Network
from pathlib import Path

import click

from lab.credentials import IdentityFiles
from lab.nodes.cluster_access import WATCH_SECONDS, ClusterAccess, Objects
from lab.nodes.duty import Duty
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

    def services(found: Objects) -> None:
        care_for_services(first, found, network)

    def claims(found: Objects) -> None:
        care_for_claims(second, found, volumes)

    def kept(found: Objects) -> None:
        care_for_volumes(third, found, volumes)

    # Each waits for changes with connections of its own.
    first, second, third = cluster(), cluster(), cluster()
    duties = (
        Duty(first, "/api/v1/services", services),
        Duty(second, "/api/v1/persistentvolumeclaims", claims),
        Duty(third, "/api/v1/persistentvolumes", kept),
    )
    for duty in duties:
        threading.Thread(target=duty.follow, daemon=True).start()
    while True:
        # All of them are done, or the process is not well.
        if max(duty.neglected_seconds() for duty in duties) < 3 * WATCH_SECONDS:
            heartbeat.touch(mode=0o600)
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main(prog_name="python -m lab.nodes.caretaker")
