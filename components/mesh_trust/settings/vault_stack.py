"""A Vault that another stack of the program has installed."""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from mesh_trust import InvalidInputError
from mesh_trust.certificate_values import require_certificates

KEY = "vaultStack"

ADDRESS = "vaultAddress"
CA_CERTIFICATE = "vaultCaCertificate"
AUDIT_FILE = "vaultAuditFile"
SERVICE = "vaultService"
"""Outputs of the stack that installs Vault."""

OutputsOf = Callable[[str], Mapping[str, Any]]
"""Gives the outputs of a stack by its name; raises pulumi.RunError where they cannot be told."""

_NAME = re.compile(r"[\w.-]+(/[\w.-]+/[\w.-]+)?")


@dataclass(frozen=True)
class InstalledVault:
    """What the other stack says of it."""

    stack: str
    """The name that the configuration has for that stack."""
    address: str
    ca_certificate: str | None
    """CA certificates that its own chains to, PEM; None: the system's, or plain HTTP."""
    audit_file: str | None
    """Where its servers keep an audit log; None where they have no place for one."""

    service: Mapping[str, str]
    """`name` and `namespace` of its Service in its cluster; empty where that is not told."""

    @property
    def ca_file(self) -> Path | None:
        """A file with the certificates, which the provider of Vault wants to be named."""
        return None if self.ca_certificate is None else _kept(self.ca_certificate)


def installed_vault(name: str, outputs_of: OutputsOf) -> InstalledVault:
    """The Vault of the stack `name`, by that stack's outputs.

    Raises:
        InvalidInputError: there is no such stack, or it has not installed a Vault yet.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            KEY, name, "name a stack of this project, or one as organization/project/stack"
        )
    try:
        outputs = outputs_of(name)
    except pulumi.RunError as error:
        raise InvalidInputError(KEY, name, f"name the stack that installs Vault: {error}") from None
    address = outputs.get(ADDRESS)
    if not isinstance(address, str):
        raise InvalidInputError(
            KEY,
            name,
            f"it has no output {ADDRESS} yet: run `pulumi up --stack {name}` first, and then "
            f"`mesh-trust --stack {name} vault init`",
        )
    certificate = outputs.get(CA_CERTIFICATE)
    if certificate is not None:
        require_certificates(
            KEY, name, str(certificate).encode(), f"its output {CA_CERTIFICATE} has to be PEM"
        )
    return InstalledVault(
        name, address, certificate, outputs.get(AUDIT_FILE), outputs.get(SERVICE) or {}
    )


def _kept(certificate: str) -> Path:
    """A file of this user's with `certificate`, named after it: the same in every update."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = cache / "mesh-trust" / "vault-ca"
    digest = hashlib.sha256(certificate.encode()).hexdigest()
    file = folder / f"{digest[:32]}.pem"
    try:
        if file.is_file() and file.read_text() == certificate:
            return file
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".partial", delete=False) as new:
            new.write(certificate)
        Path(new.name).replace(file)
    except OSError as error:
        raise InvalidInputError(
            KEY, str(folder), f"let a file be written there ({error.strerror})"
        ) from None
    return file
