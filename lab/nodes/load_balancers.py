"""Addresses for Services of type LoadBalancer."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

import click

from lab.nodes.cluster_access import ClusterAccess, Objects


def care_for_services(cluster: ClusterAccess, services: Objects, network: IPv4Network) -> None:
    """Give each Service that asks for one an address, and take back what none asks for any more.

    Raises:
        requests.RequestException: the server does not take it.
    """
    taken = {address for each in services if _is_balanced(each) for address in _addresses(each)}
    for service in services:
        if _is_balanced(service) and not _addresses(service):
            free = next((str(each) for each in network.hosts() if str(each) not in taken), None)
            if free is None:
                click.echo(f"no address is left in {network} for {_name(service)}", err=True)
                continue
            taken.add(free)
            _write(cluster, service, [{"ip": free, "ipMode": "VIP"}])
            click.echo(f"{_name(service)} has {free}", err=True)
        elif not _is_balanced(service) and _addresses(service):
            _write(cluster, service, None)


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
