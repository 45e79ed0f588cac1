"""Addresses for Services of type LoadBalancer."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

from lab.nodes.cluster_access import ClusterAccess, Objects
from lab.nodes.duty import for_each
from lab.nodes.telling import tell


def care_for_services(cluster: ClusterAccess, services: Objects, network: IPv4Network) -> None:
    """Give each Service that asks for one an address, and take back what none asks for any more.

    Raises:
        ExceptionGroup: of what the server does not take.
    """
    taken = {address for each in services if _is_balanced(each) for address in _addresses(each)}

    def care(service: Mapping[str, Any]) -> None:
        if _is_balanced(service) and not _addresses(service):
            free = next((str(each) for each in network.hosts() if str(each) not in taken), None)
            if free is None:
                tell(f"no address is left in {network} for {_name(service)}")
                return
            taken.add(free)
            _write(cluster, service, [{"ip": free, "ipMode": "VIP"}])
            tell(f"{_name(service)} has {free}")
        elif not _is_balanced(service) and _addresses(service):
            _write(cluster, service, None)
            tell(f"{_name(service)} has no address any more")

    for_each(services, care)


def _is_balanced(service: Mapping[str, Any]) -> bool:
    return bool(service["spec"].get("type") == "LoadBalancer")


def _addresses(service: Mapping[str, Any]) -> list[str]:
    balancer = service.get("status", {}).get("loadBalancer", {})
    return [entry["ip"] for entry in balancer.get("ingress") or () if "ip" in entry]


def _write(cluster: ClusterAccess, service: Mapping[str, Any], ingress: Any) -> None:
    metadata = service["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}/status"
    cluster.ask("PATCH", path, {"status": {"loadBalancer": {"ingress": ingress}}})


def _name(service: Mapping[str, Any]) -> str:
    return f"{service['metadata']['namespace']}/{service['metadata']['name']}"
