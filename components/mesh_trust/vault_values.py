"""Values of HashiCorp's Vault Helm chart, as plain data, and what the chart makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .validation import InvalidInputError, require_dns_label, require_one_of

CHART = "vault"
PORT = 8200
SERVICE_TYPES = ("ClusterIP", "LoadBalancer", "NodePort")
LOG_LEVELS = ("trace", "debug", "info", "warn", "error")

_ACTIVE = "-active"
"""What the chart adds to their name for the Service that goes to the server which leads."""

# Values that would make the outputs untrue.
_NEVER_THE_USERS = {
    "server.dev.devRootToken": "the token is generated",
    "server.enabled": "Vault's server is what is installed",
    "server.service.enabled": "the address is that of the Service",
    "global.enabled": "Vault's server is what is installed",
    "global.externalVaultAddr": "Vault's server is what is installed",
    "global.namespace": "the namespace is that of the release",
    "injector.externalVaultAddr": "Vault's server is what is installed",
}
_NOT_IN_DEVELOPMENT = {
    "server.dev.enabled": "mode dev is a development server",
    "global.tlsDisable": "mode dev speaks plain HTTP",
}
_NOT_OF_SERVERS = {
    "server.dev.enabled": "the mode decides about it",
    "server.ha.apiAddr": "the servers' certificate has their pods' names",
    "server.ha.clusterAddr": "the servers find each other by their pods' names",
    "server.ha.config": "the configuration is rendered",
    "server.ha.enabled": "the mode decides about it",
    "server.ha.raft.config": "the configuration is rendered",
    "server.ha.raft.enabled": "data is in the integrated storage",
    "server.ha.raft.setNodeId": "servers are known by their pods' names",
    "server.ha.replicas": "say it in replicas",
    "server.standalone.config": "the configuration is rendered",
    "server.standalone.enabled": "the mode decides about it",
    "server.auditStorage.enabled": "the audit log is kept",
    "server.auditStorage.mountPath": "the audit log is where it is said to be",
    "server.dataStorage.enabled": "Vault keeps what it is told",
    "server.dataStorage.mountPath": "the configuration names the folder",
    "server.persistentVolumeClaimRetentionPolicy": "say it in retention",
    "server.postStart": "it has Vault take up renewed certificates",
    "server.service.active.enabled": "the address is that of the Service of the server that leads",
    "server.service.targetPort": "the configuration names the port",
    "global.tlsDisable": "Vault serves TLS",
}


@dataclass(frozen=True)
class VaultObjects:
    """The objects of a release that make up a Vault."""

    release: str
    namespace: str
    name: str
    """Name of the StatefulSet, and with one server of the Service."""
    service_type: str
    port: int
    replicas: int = 1
    is_development: bool = True
    """Whether it is a development server: plain HTTP, and never sealed."""
    outside_name: str | None = None
    """Host name or IP address by which it is reached from elsewhere, where that is told."""

    @property
    def service(self) -> str:
        """Name of the Service that clients go through.

        Of several servers, the one that leads: another passes requests on to it, but just after it
        was unsealed, or the leader lost, it sends clients away.
        """
        return self.name if self.replicas == 1 else f"{self.name}{_ACTIVE}"

    @property
    def address_inside(self) -> str:
        """Address for what runs in the same cluster."""
        return self._address(f"{self.service}.{self.namespace}.svc")

    @property
    def address_outside(self) -> str | None:
        """Address at `outside_name`; None where there is none."""
        return None if self.outside_name is None else self.address_at(self.outside_name)

    def address_at(self, host: str) -> str:
        """Address at `host`, a name or an IP address."""
        return self._address(f"[{host}]" if ":" in host else host)

    def _address(self, host: str) -> str:
        return f"{'http' if self.is_development else 'https'}://{host}:{self.port}"


def servers_behind(service: str) -> str:
    """Name of the StatefulSet whose servers are behind the Service that clients go through."""
    return service.removesuffix(_ACTIVE)


def development_values(*, log_level: str, service_type: str, root_token: Any) -> dict[str, Any]:
    """The guide's development Vault: no injector, one dev server, nothing kept on disk.

    `root_token` may be an Output; it is passed on as it is.
    """
    return {
        "injector": {"enabled": False},
        "server": {
            "dev": {"enabled": True, "devRootToken": root_token},
            "logLevel": log_level,
            "service": {"type": service_type},
        },
    }


def merge_values(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """`theirs` over `ours` as Helm lays values files: maps are merged, all else is replaced."""
    merged = dict(ours)
    for key, value in theirs.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge_values(below, value)
        else:
            merged[key] = value
    return merged


def vault_objects(
    release: str, namespace: str, values: Mapping[str, Any], field: str = "values"
) -> VaultObjects:
    """What the chart makes of `values`, which are merged already; `field` is their name in errors.

    The name follows the chart's own template: `fullnameOverride`; or else the release's name,
    followed by `nameOverride` or the chart's name where it does not contain that.

    Raises:
        InvalidInputError: a value that decides about it is none that the chart can use, or is not
            known while the program runs.
    """
    whole = _text(values, "fullnameOverride", field)
    part = _text(values, "nameOverride", field) or CHART
    name = whole or (release if part in release else f"{release}-{part}")
    service_type = value_at(values, "server.service.type")
    return VaultObjects(
        release,
        namespace,
        require_dns_label(
            f"{field}.fullnameOverride" if whole else f"{field}.nameOverride",
            name[:63].removesuffix("-"),
        ),
        # What Kubernetes makes of a Service that names no type.
        "ClusterIP"
        if service_type is None
        else require_one_of(f"{field}.server.service.type", service_type, SERVICE_TYPES),
        _port(value_at(values, "server.service.port"), f"{field}.server.service.port"),
    )


def refuse_values_of_ours(
    values: object, field: str = "values", *, development: bool = True
) -> None:
    """Makes sure that `values` leave alone what decides about the outputs.

    `development` says whether it is mode `dev`.

    Raises:
        InvalidInputError: they do not, or hide it: in something else than a map, or in an Output.
    """
    if not isinstance(values, Mapping):
        raise InvalidInputError(field, "…", "map values of the chart by their names")
    mode = _NOT_IN_DEVELOPMENT if development else _NOT_OF_SERVERS
    for path, reason in {**_NEVER_THE_USERS, **mode}.items():
        *groups, key = path.split(".")
        below: Mapping[str, Any] = values
        for depth, group in enumerate(groups, 1):
            found = below.get(group, {})
            if not isinstance(found, Mapping):
                raise InvalidInputError(
                    ".".join((field, *groups[:depth])), "…", "give it a map of values"
                )
            below = found
        if key in below:
            raise InvalidInputError(f"{field}.{path}", "…", f"leave it out; {reason}")


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """The value at the dotted `path`, None where there is none."""
    found: Any = values
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _port(value: object, field: str) -> int:
    if value is None:
        return PORT
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise InvalidInputError(field, value, "use a port, 1 to 65535")
    return value


def _text(values: Mapping[str, Any], key: str, field: str) -> str:
    value = values.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise InvalidInputError(f"{field}.{key}", value, "give it a text, in quotes if need be")
