"""The CA of a PKI engine, and which of its issuers is the default one."""

import json
import re
from collections.abc import Mapping

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.vault.client import Json, explaining
from lab.plugins.vault.functions import Function
from lab.plugins.vault.resource import Operations, Update, Vault, vault_values
from lab.plugins.vault.schema import Field, Schema, Shape, Values

CONFIG_CA = Schema(
    "vault:pkiSecret/secretBackendConfigCa:SecretBackendConfigCa",
    (
        Field("backend", required=True, replaces=True),
        Field("pem_bundle", required=True, replaces=True, secret=True),
    ),
)


class OnceWritten(Operations):
    """Something that Vault is asked for once, and that is never told, changed or taken back."""

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Find what is known."""
        return {}

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Do nothing."""
        return resource_id

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Delete nothing."""


class ConfigCaOperations(OnceWritten):
    """An import of a CA's key and certificate; its id is the engine's path."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Import the bundle."""
        backend = str(planned["backend"])
        with explaining(f'error creating CA config for PKI secret backend "{backend}"'):
            vault.client.write(
                f"{backend.strip('/')}/config/ca", {"pem_bundle": planned["pem_bundle"]}
            )
        return backend


CONFIG_ISSUERS = Schema(
    "vault:pkiSecret/secretBackendConfigIssuers:SecretBackendConfigIssuers",
    (
        Field("backend", required=True),
        Field("default"),
        Field("default_follows_latest_issuer", Shape.BOOLEAN, computed=True),
    ),
)

_ISSUERS_ID = re.compile(r"(.+)/config/issuers.*")
_ISSUERS_SINCE = "1.11"


class ConfigIssuersOperations(Operations):
    """The choice of a PKI engine's default issuer; its id is its path."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Write the choice."""
        if not vault.connection.supports(_ISSUERS_SINCE):
            raise ProviderError(
                f"feature not enabled on current Vault version. min version "
                f"required={_ISSUERS_SINCE}; current vault version={vault.connection.version()}"
            )
        return _write_issuers(vault, planned)

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the choice; the default issuer is always told by its id."""
        backend = _ISSUERS_ID.fullmatch(resource_id)
        if backend is None:
            raise ProviderError(f'no backend found in "{resource_id}"')
        with explaining("error reading from Vault"):
            data = vault.client.read(resource_id)
        if data is None:
            return None
        names = ("default", "default_follows_latest_issuer")
        return {
            **vault_values([CONFIG_ISSUERS.field(name) for name in names], data),
            "backend": backend[1],
        }

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Write the choice again, for another engine if the path changed."""
        return _write_issuers(vault, update.planned)

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Delete nothing: the choice stays."""


def _write_issuers(vault: Vault, planned: Values) -> str:
    path = f"{planned['backend']}/config/issuers"
    with explaining(f'error writing data to "{path}"'):
        vault.client.write(
            path,
            {
                "default": planned["default"] or "",
                "default_follows_latest_issuer": bool(planned["default_follows_latest_issuer"]),
            },
        )
    return path


GET_ISSUERS = Schema(
    "vault:pkiSecret/getBackendIssuers:getBackendIssuers",
    (
        Field("backend", required=True),
        Field("keys", Shape.LIST, output=True),
        Field("key_info", Shape.MAP, output=True),
        Field("key_info_json", output=True),
    ),
)


class GetIssuers(Function):
    """Lists the issuers of a PKI engine."""

    @override
    def call(self, vault: Vault, arguments: Values) -> tuple[str, Values] | None:
        """Return the listing and its path, or None where there is no issuer."""
        path = f"{arguments['backend']}/issuers"
        with explaining("error reading from Vault"):
            data = vault.client.list(path)
        if data is None:
            return None
        key_info: Mapping[str, Json] = data.get("key_info") or {}
        return path, {
            "keys": data.get("keys") or [],
            "key_info": {name: _compact(value) for name, value in key_info.items()},
            "key_info_json": _compact(key_info),
        }


GET_ISSUER = Schema(
    "vault:pkiSecret/getBackendIssuer:getBackendIssuer",
    (
        Field("backend", required=True),
        Field("issuer_ref", required=True),
        Field("issuer_name", output=True),
        Field("issuer_id", output=True),
        Field("key_id", output=True),
        Field("certificate", output=True),
        Field("ca_chain", Shape.LIST, output=True, plural=True),
        Field("leaf_not_after_behavior", output=True),
        Field("manual_chain", Shape.LIST, output=True, plural=True),
        Field("usage", output=True),
        Field("disable_critical_extension_checks", Shape.BOOLEAN),
        Field("disable_path_length_checks", Shape.BOOLEAN),
        Field("disable_name_checks", Shape.BOOLEAN),
        Field("disable_name_constraint_checks", Shape.BOOLEAN),
    ),
)


class GetIssuer(Function):
    """Reads one issuer of a PKI engine, by its id or its name."""

    @override
    def call(self, vault: Vault, arguments: Values) -> tuple[str, Values] | None:
        """Return the issuer and its path."""
        path = f"{arguments['backend']}/issuer/{arguments['issuer_ref']}"
        with explaining("error reading from Vault"):
            data = vault.client.read(path)
        if data is None:
            raise ProviderError(f'no issuer found at "{path}"')
        told = [field for field in GET_ISSUER.fields if not field.required]
        return path, vault_values(told, data)


def _compact(value: Json) -> str:
    """Return a string as it is, and anything else as JSON, as Go writes it."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
