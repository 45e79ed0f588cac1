"""What the stack's configuration says of Vault: one that is there, or one to be installed."""

import os
from dataclasses import dataclass
from pathlib import Path

import pulumi

from mesh_trust import InvalidInputError, VaultInstallArgs
from mesh_trust.certificate_values import certificates_in
from mesh_trust.files import path_of
from mesh_trust.validation import require_server_address, require_vault_path
from mesh_trust.vault_commands import VaultCommands
from mesh_trust.vault_install_args import SERVER_MODES

from .connections import Connection
from .installation import KEY as VAULT_INSTALL
from .installation import installation, is_asked_for
from .problems import Problems
from .values import whole_number
from .vault_stack import KEY as VAULT_STACK
from .vault_stack import InstalledVault, OutputsOf, installed_vault


@dataclass(frozen=True)
class Vault:
    """How to get Vault, and how long what it signs lives."""

    install: VaultInstallArgs
    is_installed: bool
    """Whether the program installs Vault itself, in the management cluster."""
    ca_file: Path | None
    """PEM file of the CA that Vault's own certificate chains to; None: the system's, or none over
    plain HTTP."""
    ca_certificate: str | None
    """Content of `ca_file`."""
    namespace: str | None
    """Namespace of Vault Enterprise that all is in; None: none."""
    intermediate_lifetime_days: int
    """Of what the root, or a CA of a cluster's own, signs."""
    installed: InstalledVault | None = None
    """What another stack says of it that has installed it; None: this one has, or others."""
    audit_file: str | None = None
    """Where each server writes an audit log; None: that is left to whoever runs Vault."""

    @property
    def commands(self) -> VaultCommands | None:
        """Those that are for a Vault that is there; None: this stack has it, or none is known."""
        if self.installed is not None:
            return VaultCommands.of_stack(self.installed.stack)
        address = self.install.get("address")
        return VaultCommands.at(address, self.ca_file) if isinstance(address, str) else None

    @property
    def has_a_stack_of_its_own(self) -> bool:
        """Whether this stack installs Vault and does nothing else."""
        return self.install["mode"] in SERVER_MODES


def load_vault(
    config: pulumi.Config,
    management: Connection | None,
    problems: Problems,
    *,
    development: bool,
    outputs_of: OutputsOf,
) -> Vault:
    """Reads it from `config`, and from the environment what that leaves open; notes what is wrong.

    `management` is the cluster that a Vault is installed in; `outputs_of` reads another stack's.
    """
    lifetime_days = problems.value(365, whole_number, config, "intermediateLifetimeDays", 365)
    if is_asked_for(config):
        install = installation(config, management, problems, development=development)
        return Vault(install, True, None, None, None, lifetime_days)
    if config.get(VAULT_STACK):
        return _of_another_stack(config, problems, lifetime_days, outputs_of)
    existing: VaultInstallArgs = {"mode": "existing"}
    address = problems.value(None, _address, config, allow_http=development)
    if address is not None:
        existing["address"] = address
    ca_file = config.get("vaultCaFile") or os.environ.get("VAULT_CACERT")
    path = None
    if ca_file:
        path = problems.value(None, path_of, "vaultCaFile", ca_file)
    certificate = None
    if path is not None:
        certificate = problems.value(None, certificates_in, "vaultCaFile", path)
    if certificate is not None:
        existing["ca_certificate"] = certificate
    namespace = problems.value(None, _namespace, config)
    return Vault(existing, False, path, certificate, namespace, lifetime_days)


def _of_another_stack(
    config: pulumi.Config, problems: Problems, lifetime_days: int, outputs_of: OutputsOf
) -> Vault:
    for key in ("vaultAddress", "vaultCaFile"):
        if config.get(key):
            fix = f"leave it out, or {VAULT_STACK}: that stack tells it"
            problems.note(InvalidInputError(key, config.get(key), fix))
    namespace = problems.value(None, _namespace, config)
    existing: VaultInstallArgs = {"mode": "existing"}
    found = problems.value(None, installed_vault, str(config.get(VAULT_STACK)), outputs_of)
    if found is None:
        return Vault(existing, False, None, None, namespace, lifetime_days)
    existing["address"] = found.address
    if found.ca_certificate is not None:
        existing["ca_certificate"] = found.ca_certificate
    file = problems.value(None, lambda: found.ca_file)
    return Vault(
        *(existing, False, file, found.ca_certificate, namespace, lifetime_days),
        installed=found,
        audit_file=found.audit_file,
    )


def _address(config: pulumi.Config, *, allow_http: bool) -> str:
    address = config.get("vaultAddress") or os.environ.get("VAULT_ADDR")
    if not address:
        raise InvalidInputError(
            "vaultAddress",
            address,
            f"set it, or VAULT_ADDR, or {VAULT_INSTALL} to have one made, or {VAULT_STACK} for one "
            "that a stack of its own has installed",
        )
    return require_server_address("vaultAddress", address, allow_http=allow_http)


def _namespace(config: pulumi.Config) -> str | None:
    namespace = config.get("vaultNamespace") or os.environ.get("VAULT_NAMESPACE")
    return require_vault_path("vaultNamespace", namespace.strip("/")) if namespace else None
