"""Arguments of servers that keep what they are told: modes `standalone` and `ha`."""

import re
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from .validation import InvalidInputError, require_one_of, require_whole_number
from .vault_seal import SealArgs, seal_plan
from .vault_server_values import RETENTIONS, Server, Volume
from .vault_tls import LIFETIME_DAYS, RENEWAL_DAYS, require_lifetimes, require_names
from .vault_values import VaultObjects

REPLICAS = 3
_SIZE = "10Gi"
"""The chart's."""

# Quantities of Kubernetes, as far as one writes them for storage, memory and processors.
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")
_CLASS = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")

SERVER_FIELDS = (
    *("audit_storage", "certificate_lifetime_days", "certificate_renewal_days", "data_storage"),
    *("names", "resources", "retention", "seal"),
)


class VolumeArgs(TypedDict):
    """A volume of each server."""

    size: NotRequired[str]
    """How large it is, a quantity of Kubernetes; `10Gi` when absent."""
    storage_class: NotRequired[str]
    """Its StorageClass; the cluster's default when absent."""


class VaultServerArgs(TypedDict):
    """What only servers have that keep what they are told."""

    replicas: NotRequired[int]
    """Mode `ha`: number of servers, odd and 3 or more; 3 when absent."""
    names: NotRequired[list[str]]
    """Host names and IP addresses by which Vault is reached from outside its cluster: its
    certificate has them, and the first one is in `address`. Required with a LoadBalancer or
    NodePort."""
    resources: NotRequired[Mapping[str, Any]]
    """What each server asks for and may use: `requests` and `limits`, as Kubernetes has them; none
    when absent."""
    data_storage: NotRequired[VolumeArgs]
    """Where each server keeps its data."""
    audit_storage: NotRequired[VolumeArgs]
    """Where each server keeps its audit log."""
    retention: NotRequired[str]
    """What becomes of volumes, and of the namespace that they are in, when Vault is uninstalled:
    `retain` (when absent) keeps them, `delete` does not."""
    certificate_lifetime_days: NotRequired[int]
    """Lifetime of the servers' certificate; 365 when absent."""
    certificate_renewal_days: NotRequired[int]
    """How many days before its end an update renews it; 60 when absent."""
    seal: NotRequired[SealArgs]
    """What unseals Vault by itself; people with their keys when absent."""


def server_of(args: Mapping[str, Any], *, objects: VaultObjects, log_level: str) -> Server:
    """The servers that `args`, with the fields of VaultServerArgs, ask for, as those `objects`.

    Raises:
        InvalidInputError: a field is not usable.
    """
    is_cluster = args.get("mode") == "ha"
    replicas = args.get("replicas", REPLICAS) if is_cluster else 1
    if is_cluster:
        require_whole_number("replicas", replicas, minimum=3, unit="servers")
        if replicas % 2 == 0:
            raise InvalidInputError(
                "replicas", replicas, "use an odd number: one more bears no further loss"
            )
    require_lifetimes(
        args.get("certificate_lifetime_days", LIFETIME_DAYS),
        args.get("certificate_renewal_days", RENEWAL_DAYS),
    )
    names = require_names("names", args.get("names", ()))
    if objects.service_type != "ClusterIP" and not names:
        raise InvalidInputError(
            "names",
            None,
            f"name what Vault is reached by through its {objects.service_type}: its certificate "
            "needs it",
        )
    return Server(
        objects=objects,
        replicas=replicas,
        is_cluster=is_cluster,
        log_level=log_level,
        data=_volume("data_storage", args.get("data_storage", {})),
        audit=_volume("audit_storage", args.get("audit_storage", {})),
        retention=require_one_of("retention", args.get("retention", RETENTIONS[0]), RETENTIONS),
        resources=_resources(args.get("resources", {})),
        seal=seal_plan(args["seal"]) if "seal" in args else None,
    )


def _volume(field: str, given: object) -> Volume:
    if not isinstance(given, Mapping):
        raise InvalidInputError(field, given, "give it the fields size, storage_class")
    for key in given:
        if key not in VolumeArgs.__annotations__:
            raise InvalidInputError(
                f"{field}.{key}", "…", "leave it out; there are size, storage_class"
            )
    size, storage_class = given.get("size", _SIZE), given.get("storage_class")
    if not _is_quantity(size) or not isinstance(size, str):
        raise InvalidInputError(f"{field}.size", size, "use a quantity such as 10Gi")
    if storage_class is not None and (
        not isinstance(storage_class, str) or not _CLASS.fullmatch(storage_class)
    ):
        raise InvalidInputError(
            f"{field}.storage_class", storage_class, "use the name of a StorageClass"
        )
    return Volume(size, storage_class)


def _resources(given: object) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidInputError("resources", given, "give it requests and limits")
    for part, quantities in given.items():
        if part not in ("requests", "limits"):
            raise InvalidInputError(f"resources.{part}", "…", "use requests or limits")
        if not isinstance(quantities, Mapping):
            raise InvalidInputError(
                f"resources.{part}", quantities, "give it quantities such as memory: 512Mi"
            )
        for what, quantity in quantities.items():
            if not _is_quantity(quantity):
                raise InvalidInputError(
                    f"resources.{part}.{what}", quantity, "use a quantity such as 512Mi or 500m"
                )
    return given


def _is_quantity(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    text = str(value)
    return _QUANTITY.fullmatch(text) is not None and re.search("[1-9]", text) is not None
