"""The Vault that the program has installed in the management cluster, as that cluster shows it."""

from dataclasses import dataclass
from typing import Any

import requests

from lab.control_plane import api_server_name
from lab.credentials import IdentityFiles
from lab.directory import LabDirectory
from lab.nodes.cluster_access import ClusterAccess
from lab.servers import read_servers
from lab.workload_clusters import MANAGEMENT_CLUSTER

_NAMESPACE = "vault"
_NAME = "vault"
_TOKEN_VARIABLE = "VAULT_DEV_ROOT_TOKEN_ID"  # noqa: S105
_PORT = 8200


@dataclass(frozen=True)
class InstalledVault:
    """Where it answers, and its root token."""

    address: str
    root_token: str


def installed_vault(directory: LabDirectory) -> InstalledVault | None:
    """Return the development Vault in the management cluster, or None where there is none yet.

    Raises:
        LabError: what the last start wrote down cannot be read.
    """
    addresses = {server.name: server.address for server in read_servers(directory.servers)}
    url = addresses.get(api_server_name(MANAGEMENT_CLUSTER))
    if url is None:
        return None
    folder = directory.cluster(MANAGEMENT_CLUSTER)
    administrator = IdentityFiles(folder / "admin.crt", folder / "admin.key")
    cluster = ClusterAccess(url, folder / "ca.crt", administrator)
    try:
        service = cluster.ask("GET", f"/api/v1/namespaces/{_NAMESPACE}/services/{_NAME}")
        server = cluster.ask("GET", f"/apis/apps/v1/namespaces/{_NAMESPACE}/statefulsets/{_NAME}")
    except requests.RequestException:
        return None
    ingress = service["status"].get("loadBalancer", {}).get("ingress") or [{}]
    token = _variable(server, _TOKEN_VARIABLE)
    if not token or "ip" not in ingress[0]:
        return None
    return InstalledVault(f"http://{ingress[0]['ip']}:{_PORT}", token)


def _variable(server: dict[str, Any], name: str) -> str | None:
    for container in server["spec"]["template"]["spec"]["containers"]:
        for variable in container.get("env", ()):
            if variable["name"] == name:
                return str(variable.get("value", ""))
    return None
