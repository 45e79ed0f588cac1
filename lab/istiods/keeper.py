"""What a kubelet would do for istiod: `python -m lab.istiods.keeper`.

It runs istiod, and the agent beside it, as istiod's Deployment in the cluster would have them.
"""

import base64
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import click
import requests

from lab.credentials import IdentityFiles
from lab.istiods.istiod import Executables, Istiod
from lab.istiods.pod import Pod, config_maps_of
from lab.nodes.cluster_access import ClusterAccess
from lab.nodes.istio import ISTIO_NAMESPACE
from lab.ports import LOOPBACK

_NAMESPACED = f"namespaces/{ISTIO_NAMESPACE}"
_DEPLOYMENT = f"/apis/apps/v1/{_NAMESPACED}/deployments/istiod"
_TOKEN = f"/api/v1/{_NAMESPACED}/serviceaccounts/istiod/token"
_TOKEN_SECONDS = 3600
_AUTHORITY = "cacerts"
_PAUSE_SECONDS = 1.0
_READY_SECONDS = 3.0


class _TerminatedError(Exception):
    """SIGTERM has come."""


@click.command()
@click.option("--url", required=True, help="The API server's.")
@click.option("--credentials", required=True, type=click.Path(path_type=Path), help="Folder.")
@click.option("--root", required=True, type=click.Path(path_type=Path), help="What istiod sees.")
@click.option("--istiod", required=True, type=click.Path(path_type=Path), help="pilot-discovery.")
@click.option("--agent", required=True, type=click.Path(path_type=Path), help="istiod-agent.")
@click.option("--http", required=True, type=int, help="Port on which istiod says it is ready.")
@click.option("--grpc", required=True, type=int, help="Port of istiod's services over TLS.")
@click.option("--heartbeat", required=True, type=click.Path(path_type=Path), help="File.")
@click.option("--ready", required=True, type=click.Path(path_type=Path), help="File.")
def main(
    url: str,
    credentials: Path,
    root: Path,
    istiod: Path,
    agent: Path,
    http: int,
    grpc: int,
    heartbeat: Path,
    ready: Path,
) -> None:
    """Run one cluster's istiod until SIGTERM.

    `--ready` is touched while istiod says that it is ready, `--heartbeat` also while the agent has
    not got it a CA.
    """
    signal.signal(signal.SIGTERM, _end)
    authority = credentials / "ca.crt"
    administrator = IdentityFiles(credentials / "admin.crt", credentials / "admin.key")
    cluster = ClusterAccess(url, authority, administrator)
    address = urlsplit(url)
    pod = Istiod(
        root,
        Executables(istiod, agent),
        {
            "KUBERNETES_SERVICE_HOST": str(address.hostname),
            "KUBERNETES_SERVICE_PORT": str(address.port),
        },
        _listening(http, grpc),
    )
    pod.prepare()
    renewed = float("-inf")
    try:
        while True:
            try:
                if time.monotonic() - renewed > _TOKEN_SECONDS / 2:
                    pod.write_account(_token(cluster), authority.read_bytes())
                    renewed = time.monotonic()
                pod.become(_wanted(cluster), _authority(cluster))
                is_ready = not pod.awaits_ca and _is_ready(http)
                if is_ready:
                    ready.touch(mode=0o600)
                if is_ready or pod.awaits_ca:
                    heartbeat.touch(mode=0o600)
            except (requests.RequestException, KeyError) as error:
                click.echo(f"istiod's Deployment cannot be followed: {error}", err=True)
            time.sleep(_PAUSE_SECONDS)
    except _TerminatedError:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pod.end()


def _listening(http: int, grpc: int) -> list[str]:
    """Return the flags that have istiod listen on loopback only, where something is to listen."""
    return [
        f"--httpAddr={LOOPBACK}:{http}",
        f"--secureGRPCAddr={LOOPBACK}:{grpc}",
        "--httpsAddr=",
        "--grpcAddr=",
        # On the port of --httpAddr.
        "--monitoringAddr=",
        "--ctrlz_port=0",
    ]


def _wanted(cluster: ClusterAccess) -> Pod:
    deployment = cluster.ask("GET", _DEPLOYMENT)
    maps = {name: _config_map(cluster, name) for name in config_maps_of(deployment)}
    return Pod.of(deployment, maps)


def _config_map(cluster: ClusterAccess, name: str) -> dict[str, str]:
    data: dict[str, str] = cluster.ask("GET", f"/api/v1/{_NAMESPACED}/configmaps/{name}")["data"]
    return data


def _authority(cluster: ClusterAccess) -> dict[str, bytes]:
    """Return the files of the Secret from which istiod has a CA of others; none without it."""
    secrets = cluster.ask("GET", f"/api/v1/{_NAMESPACED}/secrets")["items"]
    return {
        name: base64.b64decode(content)
        for secret in secrets
        if secret["metadata"]["name"] == _AUTHORITY
        for name, content in (secret.get("data") or {}).items()
    }


def _token(cluster: ClusterAccess) -> str:
    request: dict[str, Any] = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_SECONDS},
    }
    return str(cluster.ask("POST", _TOKEN, request)["status"]["token"])


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://{LOOPBACK}:{port}/ready", timeout=_READY_SECONDS).ok
    except requests.RequestException:
        return False


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise _TerminatedError


if __name__ == "__main__":
    main(prog_name="python -m lab.istiods.keeper")
