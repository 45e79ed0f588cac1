"""What the stack's configuration says about a Vault that the program installs itself."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi

from components import InvalidInputError, VaultInstallArgs
from components.vault_install_args import check_vault_install_args

from .connections import Connection, note_untold_management
from .problems import Problems
from .values import as_configured, known_fields, structure

KEY = "vaultInstall"

# The fields of the configuration, and those of the component.
FIELDS = {
    "mode": "mode",
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


def is_asked_for(config: pulumi.Config) -> bool:
    """Whether the configuration asks for an installation."""
    return structure(config, KEY) not in (None, {})


def installation(
    config: pulumi.Config,
    management: Connection | None,
    problems: Problems,
    *,
    development: bool,
) -> VaultInstallArgs:
    """How Vault is to be installed; what is wrong is noted."""
    given = structure(config, KEY)
    entry = known_fields(KEY, given, FIELDS, problems)
    if not isinstance(given, Mapping):
        return VaultInstallArgs(mode=_MODES[0])
    with problems.noted():
        _require_mode(entry.get("mode"), development=development)
    for key in ("vaultAddress", "vaultCaFile", "vaultNamespace"):
        if config.get(key):
            fix = f"leave it out, or {KEY}: Vault is there"
            problems.note(InvalidInputError(key, config.get(key), fix))
    note_untold_management(config, "Vault goes to", problems)
    args: dict[str, Any] = {"mode": _MODES[0]}
    if management is not None:
        args |= {"context": management.context, "kubeconfig": management.kubeconfig}
    # Each field by itself, so that what is wrong with one does not hide the next.
    sound = [field for field in entry if field != "mode" and _is_sound(entry, field, problems)]
    args |= {FIELDS[field]: entry[field] for field in sound}
    if len(sound) == len(entry.keys() - {"mode"}):
        with problems.noted():
            _check(args)
    return cast(VaultInstallArgs, args)


def _require_mode(mode: object, *, development: bool) -> None:
    if mode not in _MODES:
        raise InvalidInputError(
            f"{KEY}.mode",
            mode,
            f"use {' or '.join(_MODES)}; leave {KEY} out for a Vault that is there already",
        )
    if not development:
        raise InvalidInputError(
            f"{KEY}.mode",
            mode,
            "set development: true as well, as such a Vault keeps nothing and speaks plain HTTP",
        )


def _is_sound(entry: Mapping[str, Any], field: str, problems: Problems) -> bool:
    part = problems.part()
    with part.noted():
        _check({"mode": _MODES[0], FIELDS[field]: entry[field]})
    return part.none


def _check(args: Mapping[str, Any]) -> None:
    try:
        check_vault_install_args(cast(VaultInstallArgs, args))
    except InvalidInputError as error:
        problem = as_configured(error, FIELDS)
        raise InvalidInputError(f"{KEY}.{problem.field}", problem.value, problem.fix) from None
