"""Values of HashiCorp's Vault Helm chart for servers that keep what they are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from .validation import InvalidInputError
from .vault_configuration import (
    AUDIT_FOLDER,
    DATA_FOLDER,
    SERVER_PORT,
    TLS_FOLDER,
    server_configuration,
)
from .vault_seal import SEAL_FOLDER, SealPlan
from .vault_values import VaultObjects, value_at

RETENTIONS = ("retain", "delete")
"""What becomes of the volumes when Vault is uninstalled."""

_LISTS_OF_OURS = (
    "server.extraSecretEnvironmentVars",
    "server.volumeMounts",
    "server.volumes",
)
"""Values to which a user's own are added, as Helm would put a user's list in the place of ours."""

_GROUP_MAY_READ = 0o440

# A change of the Secret reaches the files in a minute or so, and Vault reads them anew when it is
# told to: without a restart, after which it would be sealed.
_RELOAD_EVERY_SECONDS = 30
_WATCH_CERTIFICATE = f"""\
(
  seen=$(sha256sum < {TLS_FOLDER}/tls.crt)
  while sleep {_RELOAD_EVERY_SECONDS}; do
    found=$(sha256sum < {TLS_FOLDER}/tls.crt) || continue
    [ "$found" != "$seen" ] || continue
    kill -HUP $(pidof vault) && seen=$found
  done
) > /dev/null 2>&1 < /dev/null &
"""


@dataclass(frozen=True)
class Volume:
    """A volume of each server."""

    size: str
    storage_class: str | None

    @property
    def values(self) -> dict[str, Any]:
        """As the chart has it, without where it is mounted."""
        named = {} if self.storage_class is None else {"storageClass": self.storage_class}
        return {"enabled": True, "size": self.size, **named}


@dataclass(frozen=True)
class Server:
    """How servers of one of the modes `standalone` and `ha` are to be."""

    objects: VaultObjects
    """What the chart makes of them."""
    replicas: int
    """1 in mode standalone."""
    is_cluster: bool
    """Whether it is mode ha."""
    log_level: str
    data: Volume
    audit: Volume
    retention: str
    resources: Mapping[str, Any]
    seal: SealPlan | None

    @property
    def peers(self) -> tuple[str, ...]:
        """Host names of all members below the headless Service."""
        if not self.is_cluster:
            return ()
        name = self.objects.name
        return tuple(f"{name}-{each}.{name}-internal" for each in range(self.replicas))

    @property
    def own_address(self) -> str:
        """Where a member of a cluster sends a client, when it leads, whose request another cannot
        pass on to it.

        That is where clients are known to get to; without a name of theirs, the pod by its name,
        for the whole of the cluster.
        """
        objects = self.objects
        # The variable is one that the chart sets before this one.
        pod = f"$(VAULT_K8S_POD_NAME).{objects.name}-internal.{objects.namespace}.svc"
        return objects.address_outside or f"https://{pod}:{SERVER_PORT}"

    @property
    def configuration(self) -> str:
        """Vault's own configuration."""
        return server_configuration(
            peers=self.peers,
            seal=None if self.seal is None else self.seal.seal,
            # Only in mode ha does the chart allow it to.
            registers=self.is_cluster,
        )


def server_values(
    server: Server, *, tls_secret: pulumi.Input[str], seal_secret: pulumi.Input[str] | None
) -> dict[str, Any]:
    """The chart's values; the Secrets are named, and nothing of what they hold is in the values.

    Both names may be Outputs; they are passed on as they are.
    """
    values: dict[str, Any] = {
        "logLevel": server.log_level,
        "service": {"type": server.objects.service_type},
        "dataStorage": {**server.data.values, "mountPath": DATA_FOLDER},
        "auditStorage": {**server.audit.values, "mountPath": AUDIT_FOLDER},
        "persistentVolumeClaimRetentionPolicy": {
            "whenDeleted": server.retention.capitalize(),
            # Who takes a server away for a while finds its data again.
            "whenScaled": "Retain",
        },
        "postStart": ["/bin/sh", "-c", _WATCH_CERTIFICATE],
        "volumes": [_secret_volume("tls", tls_secret)],
        "volumeMounts": [{"name": "tls", "mountPath": TLS_FOLDER, "readOnly": True}],
    }
    if server.resources:
        values["resources"] = dict(server.resources)
    if server.is_cluster:
        values["ha"] = {
            "enabled": True,
            "replicas": server.replicas,
            "apiAddr": server.own_address,
            "raft": {"enabled": True, "setNodeId": True, "config": server.configuration},
        }
        # A server that is sealed gets no requests.
        values["service"]["publishNotReadyAddresses"] = False
        # Nobody is told of it, and with a LoadBalancer it would be one more.
        values["service"]["standby"] = {"enabled": False}
    else:
        values["standalone"] = {"enabled": True, "config": server.configuration}
    if server.seal is not None and seal_secret is not None:
        _add_seal(values, server.seal, seal_secret)
    return {"global": {"tlsDisable": False}, "injector": {"enabled": False}, "server": values}


def with_further_items(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """`theirs` with our items before their own, in the lists that both have.

    Raises:
        InvalidInputError: what a user gives in the place of such a list is none.
    """
    whole = {key: value for key, value in theirs.items() if key != "server"}
    server = dict(theirs.get("server", {}))
    for path in _LISTS_OF_OURS:
        key = path.partition(".")[2]
        found = value_at(ours, path)
        if key not in server or found is None:
            continue
        if not isinstance(server[key], list):
            raise InvalidInputError(f"values.{path}", "…", "give it a list")
        server[key] = [*found, *server[key]]
    return {**whole, "server": server} if server else whole


def _add_seal(values: dict[str, Any], seal: SealPlan, secret: pulumi.Input[str]) -> None:
    if seal.environment:
        values["extraEnvironmentVars"] = dict(seal.environment)
    values["extraSecretEnvironmentVars"] = [
        {"envName": each, "secretName": secret, "secretKey": each} for each in seal.variables
    ]
    if seal.files:
        values["volumes"].append(_secret_volume("seal", secret, seal.files))
        values["volumeMounts"].append({"name": "seal", "mountPath": SEAL_FOLDER, "readOnly": True})


def _secret_volume(name: str, secret: pulumi.Input[str], keys: tuple[str, ...] = ()) -> Any:
    items = {"items": [{"key": each, "path": each} for each in keys]} if keys else {}
    return {
        "name": name,
        "secret": {"secretName": secret, "defaultMode": _GROUP_MAY_READ, **items},
    }
