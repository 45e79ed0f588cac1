"""One issuer of a PKI engine, that was made or imported by something else."""

import re

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.vault.client import VaultError, explaining
from lab.plugins.vault.resource import Operations, Update, Vault, vault_values
from lab.plugins.vault.schema import Field, Schema, Shape, Values

ISSUER = Schema(
    "vault:pkiSecret/secretBackendIssuer:SecretBackendIssuer",
    (
        Field("backend", required=True, replaces=True),
        Field("issuer_ref", required=True),
        Field("issuer_name"),
        Field("leaf_not_after_behavior", computed=True),
        Field("manual_chain", Shape.LIST, plural=True),
        Field("usage", computed=True),
        Field("revocation_signature_algorithm", computed=True),
        Field("issuing_certificates", Shape.LIST),
        Field("crl_distribution_points", Shape.LIST),
        Field("ocsp_servers", Shape.LIST),
        Field("enable_aia_url_templating", Shape.BOOLEAN),
        Field("disable_critical_extension_checks", Shape.BOOLEAN),
        Field("disable_path_length_checks", Shape.BOOLEAN),
        Field("disable_name_checks", Shape.BOOLEAN),
        Field("disable_name_constraint_checks", Shape.BOOLEAN),
        Field("issuer_id", output=True),
    ),
)

_WRITTEN = tuple(
    field.name
    for field in ISSUER.fields
    if field.name not in ("backend", "issuer_ref", "issuer_id")
)
_READ = (*_WRITTEN, "issuer_id")
_ID = re.compile(r"(.+)/issuer/(.+)")


class IssuerOperations(Operations):
    """What an issuer may do; its id is its path, by whichever reference the program named it."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Find the issuer, and write what the program says of it."""
        path = f"{planned['backend']}/issuer/{planned['issuer_ref']}"
        with explaining(f"error reading issuer at {path}, err"):
            if vault.client.read(path) is None:
                raise ProviderError(f"no issuer found at path {path}")
        data = {name: config[name] for name in _WRITTEN if config.get(name) is not None}
        if data:
            with explaining(f'error writing issuer data to "{path}", err'):
                vault.client.write(path, data)
        return path

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the issuer; one that cannot be read is taken for gone."""
        found = _ID.fullmatch(resource_id)
        if found is None:
            raise ProviderError("no backend found")
        try:
            data = vault.client.read(resource_id)
        except VaultError:
            return None
        if data is None:
            return None
        told = [ISSUER.field(name) for name in _READ if name in data]
        return {**vault_values(told, data), "backend": found[1], "issuer_ref": found[2]}

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Write what changed. Another reference changes nothing: the id says which issuer it is."""
        data = {
            name: ISSUER.field(name).zero if update.planned[name] is None else update.planned[name]
            for name in _WRITTEN
            if name in update.changed
        }
        if data:
            with explaining(f'error updating issuer data at "{resource_id}", err'):
                vault.client.patch(resource_id, data)
        return resource_id

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Delete the issuer itself; its key stays in the engine."""
        with explaining(f'error deleting "{resource_id}" from Vault'):
            vault.client.delete(resource_id)
