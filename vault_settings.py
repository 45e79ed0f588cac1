"""What the stack's configuration says about a Vault that the program installs itself."""

from pathlib import Path
from typing import Any, cast

import pulumi

from components import InvalidInputError, VaultInstallArgs
from components.kubeconfig import require_context
from components.vault_install_args import check_vault_install_args
from configuration import require_fields, structure

KEY = "vaultInstall"

# The fields of the configuration, and those of the component.
FIELDS = {
    "mode": "mode",
    "context": "context",
    "namespace": "namespace",
    "createNamespace": "create_namespace",
    "chart": "chart",
    "repository": "repository",
    "chartVersion": "chart_version",
    "serviceType": "service_type",
    "logLevel": "log_level",
    "timeoutSeconds": "timeout_seconds",
    "values": "values",
}
_MODES = ("dev",)


def installation(
    config: pulumi.Config, kubeconfig: Path, *, development: bool
) -> VaultInstallArgs | None:
    """How Vault is to be installed; None where the configuration does not ask for it.

    Raises:
        InvalidInputError: a value is missing or not usable.
    """
    entry = structure(config, KEY)
    if entry is None or entry == {}:
        return None
    entry = require_fields(KEY, entry, FIELDS)
    if entry.get("mode") not in _MODES:
        raise InvalidInputError(
            f"{KEY}.mode",
            entry.get("mode"),
            f"use {' or '.join(_MODES)}; leave {KEY} out for a Vault that is there already",
        )
    if not development:
        raise InvalidInputError(
            f"{KEY}.mode",
            entry["mode"],
            "set development: true as well, as such a Vault keeps nothing and speaks plain HTTP",
        )
    for key in ("vaultAddress", "vaultCaFile", "vaultNamespace"):
        if config.get(key):
            raise InvalidInputError(key, config.get(key), f"leave it out, or {KEY}: Vault is there")
    _require_management_context(entry.get("context"), kubeconfig)
    args = cast(
        VaultInstallArgs,
        {FIELDS[field]: value for field, value in entry.items()} | {"kubeconfig": str(kubeconfig)},
    )
    _check(args)
    return args


def _require_management_context(context: Any, kubeconfig: Path) -> None:
    field = f"{KEY}.context"
    if not isinstance(context, str) or not context:
        raise InvalidInputError(field, context, "name the management cluster's context")
    if "_" in context:
        # As for the workload clusters: Gloo makes a DNS name of it.
        raise InvalidInputError(
            field,
            context,
            f"rename it without underscores: kubectl config rename-context {context} "
            f"{context.replace('_', '-')}",
        )
    require_context(kubeconfig, context)


def _check(args: VaultInstallArgs) -> None:
    configured = {argument: field for field, argument in FIELDS.items()}
    try:
        check_vault_install_args(args)
    except InvalidInputError as error:
        argument, dot, below = error.field.partition(".")
        raise InvalidInputError(
            f"{KEY}.{configured[argument]}{dot}{below}", error.value, error.fix
        ) from None
