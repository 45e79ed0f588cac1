"""What the stack's configuration says about a Vault that the program installs itself."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import pulumi

from mesh_trust import InvalidInputError, VaultInstallArgs
from mesh_trust.vault_install_args import MODES, SERVER_MODES, check_vault_install_args
from mesh_trust.vault_seal import CREDENTIALS

from .connections import Connection, note_untold_management
from .problems import HIDDEN, Problems
from .values import as_configured, is_secret, known_fields, structure

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
    "replicas": "replicas",
    "names": "names",
    "resources": "resources",
    "dataStorage": "data_storage",
    "auditStorage": "audit_storage",
    "retention": "retention",
    "certificateLifetimeDays": "certificate_lifetime_days",
    "certificateRenewalDays": "certificate_renewal_days",
    "seal": "seal",
}
_MODES = tuple(mode for mode in MODES if mode != "existing")

# Fields that are only right or wrong together with others.
_TOGETHER = {
    "serviceType": ("names",),
    "values": ("names", "serviceType"),
    "certificateLifetimeDays": ("certificateRenewalDays",),
    "certificateRenewalDays": ("certificateLifetimeDays",),
}
_WITH_FIELDS = ("dataStorage", "auditStorage", "seal")
"""Fields whose own fields are the program's, in its manner of writing."""


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
    mode = _mode(entry.get("mode"), problems, development=development)
    for key in ("vaultAddress", "vaultCaFile", "vaultNamespace", "vaultStack"):
        if config.get(key):
            fix = f"leave it out, or {KEY}: Vault is there"
            problems.note(InvalidInputError(key, config.get(key), fix))
    note_untold_management(config, "Vault goes to", problems)
    if not is_secret(config, KEY):
        with problems.noted():
            _refuse_credentials_in_clear(entry.get("seal"))
    args: dict[str, Any] = {"mode": mode}
    if management is not None:
        args |= {"context": management.context, "kubeconfig": management.kubeconfig}
    # Each field by itself, so that what is wrong with one does not hide the next.
    fields = [field for field in entry if field != "mode"]
    sound = [field for field in fields if _is_sound(mode, entry, field, problems)]
    args |= _as_arguments(entry, sound)
    if len(sound) == len(fields):
        with problems.noted():
            _check(args)
    return cast(VaultInstallArgs, args)


def _mode(mode: object, problems: Problems, *, development: bool) -> str:
    if not isinstance(mode, str) or mode not in _MODES:
        problems.note(
            InvalidInputError(
                f"{KEY}.mode",
                mode,
                f"use {', '.join(_MODES[:-1])} or {_MODES[-1]}; leave {KEY} out for a Vault that "
                "is there already",
            )
        )
        return _MODES[0]
    if mode not in SERVER_MODES and not development:
        problems.note(
            InvalidInputError(
                f"{KEY}.mode",
                mode,
                f"use {' or '.join(SERVER_MODES)}, or set development: true as well: such a Vault "
                "keeps nothing and speaks plain HTTP",
            )
        )
    return mode


def _refuse_credentials_in_clear(seal: object) -> None:
    """Refuses what everybody could read who reads the stack's configuration.

    Raises:
        InvalidInputError: a credential stands in it.
    """
    for kind, fields in seal.items() if isinstance(seal, Mapping) else ():
        for field in fields if isinstance(fields, Mapping) else ():
            if _snake(field) in CREDENTIALS:
                path = f"{KEY}.seal.{kind}.{field}"
                raise InvalidInputError(
                    path,
                    HIDDEN,
                    "it stands in clear in the stack's configuration: take it out there, and set "
                    f"it with `pulumi config set --secret --path '{path}'`",
                )


def _as_arguments(entry: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    return {
        FIELDS[field]: _renamed(entry[field]) if field in _WITH_FIELDS else entry[field]
        for field in fields
    }


def _renamed(value: object) -> object:
    """`value` with the names of all fields below it as arguments have them."""
    if not isinstance(value, Mapping):
        return value
    return {_snake(str(name)): _renamed(below) for name, below in value.items()}


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def _is_sound(mode: str, entry: Mapping[str, Any], field: str, problems: Problems) -> bool:
    part = problems.part()
    fields = [field, *(other for other in _TOGETHER.get(field, ()) if other in entry)]
    with part.noted():
        _check({"mode": mode, **_as_arguments(entry, fields)})
    return part.none


def _check(args: Mapping[str, Any]) -> None:
    try:
        check_vault_install_args(cast(VaultInstallArgs, args))
    except InvalidInputError as error:
        problem = as_configured(error, FIELDS)
        field, fix = problem.field, problem.fix
        if field.partition(".")[0] in _WITH_FIELDS:
            # Named as they are written, down to the last of them.
            field, fix = _camel(field), _camel(fix)
        raise InvalidInputError(f"{KEY}.{field}", problem.value, fix) from None
