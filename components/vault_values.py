"""Values of HashiCorp's Vault Helm chart, as plain data, and what the chart makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .validation import InvalidInputError, require_dns_label, require_one_of

CHART = "vault"
PORT = 8200
SERVICE_TYPES = ("ClusterIP", "LoadBalancer", "NodePort")
LOG_LEVELS = ("trace", "debug", "info", "warn", "error")

# Values that would make the outputs of mode `dev` untrue.
_NOT_THE_USERS = {
    "server.dev.devRootToken": "the token is generated",
    "server.dev.enabled": "mode dev is a development server",
    "server.enabled": "Vault's server is what is installed",
    "server.service.enabled": "the address is that of the Service",
    "global.enabled": "Vault's server is what is installed",
    "global.externalVaultAddr": "Vault's server is what is installed",
    "global.namespace": "the namespace is that of the release",
    "global.tlsDisable": "mode dev speaks plain HTTP",
    "injector.externalVaultAddr": "Vault's server is what is installed",
}


@dataclass(frozen=True)
class VaultObjects:
    """The objects of a release that make up a Vault: StatefulSet and Service share their name."""

    release: str
    namespace: str
    name: str
    service_type: str
    port: int

    @property
    def address_inside(self) -> str:
        """Address of a development Vault for what runs in the same cluster."""
        return f"http://{self.name}.{self.namespace}.svc:{self.port}"


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


def refuse_values_of_ours(values: object, field: str = "values") -> None:
    """Makes sure that `values` leave alone what decides about the outputs of mode `dev`.

    Raises:
        InvalidInputError: they do not, or hide it: in something else than a map, or in an Output.
    """
    if not isinstance(values, Mapping):
        raise InvalidInputError(field, "…", "map values of the chart by their names")
    for path, reason in _NOT_THE_USERS.items():
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
