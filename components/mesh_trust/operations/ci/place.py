"""Which Vault an environment is in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mesh_trust import InvalidInputError
from mesh_trust.files import content_of, path_of
from mesh_trust.validation import require_server_address, require_vault_path
from mesh_trust.vault_session import is_loopback

from ..cli import Project
from ..errors import OperationError
from .configuration import configuration_in, makes_servers


@dataclass(frozen=True)
class Place:
    """How a Vault is reached."""

    address: str
    ca_file: Path | None
    """PEM file of the CA that its own certificate chains to; None: the system's."""
    namespace: str | None
    """Namespace of Vault Enterprise that all is in; None: none."""


def place_of(project: Project, environment: Mapping[str, str]) -> Place | None:
    """The Vault of the project's stack, by its configuration and, for what that leaves open, by
    VAULT_ADDR, VAULT_CACERT and VAULT_NAMESPACE; without a stack by these alone.

    None is for a stack that makes a Vault itself and does nothing else: nothing in it is to be
    asked. Nothing secret is read; only what another stack tells (`vaultStack`) takes the engine.

    Raises:
        OperationError: it is told nowhere, or cannot be used.
    """
    told = _configuration(project)
    if makes_servers(told):
        return None
    try:
        if told.get("vaultStack"):
            address, ca_file = _installed(str(told["vaultStack"]), project.folder)
        else:
            address = _address(told, environment)
            ca_file = _ca_file(told, project.folder, environment)
        namespace = told.get("vaultNamespace") or environment.get("VAULT_NAMESPACE")
        if namespace:
            namespace = require_vault_path("vaultNamespace", str(namespace).strip("/"))
        return Place(address, ca_file, namespace or None)
    except InvalidInputError as error:
        raise OperationError(str(error)) from None


def _configuration(project: Project) -> Mapping[str, Any]:
    if project.config_file is not None:
        return configuration_in(project.config_file)
    if project.stack_name is None:
        return {}
    # Also named as organization/project/stack.
    name = f"Pulumi.{project.stack_name.rpartition('/')[2]}"
    for suffix in (".yaml", ".yml"):
        path = project.folder / f"{name}{suffix}"
        if path.is_file():
            return configuration_in(path)
    raise OperationError(f"{project.folder} has no {name}.yaml: name the environment with --stack")


def _address(told: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    for field, address in (
        ("vaultAddress", told.get("vaultAddress")),
        ("VAULT_ADDR", environment.get("VAULT_ADDR")),
    ):
        if address:
            return require_server_address(field, address, allow_http=is_loopback(str(address)))
    raise OperationError(
        "it is told nowhere where Vault is: set vaultAddress (or vaultStack) in the stack's "
        "configuration and name the stack with --stack, or set VAULT_ADDR"
    )


def _ca_file(told: Mapping[str, Any], folder: Path, environment: Mapping[str, str]) -> Path | None:
    for field, path in (
        ("vaultCaFile", told.get("vaultCaFile")),
        ("VAULT_CACERT", environment.get("VAULT_CACERT")),
    ):
        if path:
            file = folder / path_of(field, str(path))
            content_of(field, file)
            return file
    return None


def _installed(stack: str, folder: Path) -> tuple[str, Path | None]:
    """Address and CA of the Vault that another stack has installed."""
    # Imported here: the SDKs take longer than all else of a login.
    from mesh_trust.settings.vault_stack import installed_vault

    from ..stack import outputs_of

    installed = installed_vault(stack, partial(outputs_of, folder))
    address = require_server_address(
        "vaultStack", installed.address, allow_http=is_loopback(installed.address)
    )
    return address, installed.ca_file
