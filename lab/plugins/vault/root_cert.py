"""A root CA that a PKI engine makes itself."""

from http import HTTPStatus

from cryptography import x509
from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import UNKNOWN
from lab.plugins.vault.client import Json, VaultError, explaining
from lab.plugins.vault.connection import VaultConnection
from lab.plugins.vault.mounting import read_mount
from lab.plugins.vault.refusals import none_of
from lab.plugins.vault.resource import (
    NAMESPACE,
    Made,
    Operations,
    Plan,
    Update,
    Vault,
    vault_values,
)
from lab.plugins.vault.schema import Field, Schema, Shape, Values, is_empty

ROOT_CERT = Schema(
    "vault:pkiSecret/secretBackendRootCert:SecretBackendRootCert",
    (
        Field("backend", required=True, replaces=True),
        Field(
            "type",
            required=True,
            replaces=True,
            refuse=none_of("existing", "exported", "internal", "kms"),
        ),
        Field("common_name", required=True, replaces=True),
        Field("alt_names", Shape.LIST, replaces=True),
        Field("ip_sans", Shape.LIST, replaces=True),
        Field("uri_sans", Shape.LIST, replaces=True),
        Field("other_sans", Shape.LIST, replaces=True),
        Field("ttl"),
        Field(
            "format",
            default="pem",
            replaces=True,
            refuse=none_of("pem", "der", "pem_bundle", "pkcs12_bundle", "jks_bundle"),
        ),
        Field("private_key_format", default="der", replaces=True, refuse=none_of("der", "pkcs8")),
        Field("key_type", default="rsa", replaces=True, refuse=none_of("rsa", "ec", "ed25519")),
        Field("key_bits", Shape.INTEGER, default=2048, replaces=True),
        Field("signature_bits", Shape.INTEGER, computed=True),
        Field("max_path_length", Shape.INTEGER, default=-1, replaces=True),
        Field("exclude_cn_from_sans", Shape.BOOLEAN, replaces=True),
        Field("permitted_dns_domains", Shape.LIST, replaces=True),
        Field("ou", replaces=True),
        Field("organization", replaces=True),
        Field("country", replaces=True),
        Field("locality", replaces=True),
        Field("province", replaces=True),
        Field("street_address", replaces=True),
        Field("postal_code", replaces=True),
        Field("managed_key_name", computed=True, replaces=True, conflicts_with="managed_key_id"),
        Field("managed_key_id", computed=True, replaces=True, conflicts_with="managed_key_name"),
        Field("issuer_name", computed=True, replaces=True),
        Field("key_name", computed=True, replaces=True),
        Field("key_ref", computed=True, replaces=True),
        Field("not_after"),
        Field("not_before_duration", replaces=True),
        Field("certificate", output=True),
        Field("issuing_ca", output=True),
        Field("serial_number", output=True, replaces=True),
        Field("issuer_id", output=True, replaces=True),
        Field("key_id", output=True, replaces=True),
    ),
)

_SINCE = "1.11"
# Sent where the program gives them, or a default is given in its place.
_TEXTS = (
    "common_name",
    "ttl",
    "format",
    "private_key_format",
    "max_path_length",
    "ou",
    "organization",
    "country",
    "province",
    "locality",
    "street_address",
    "postal_code",
    "managed_key_name",
    "managed_key_id",
    "signature_bits",
    "not_after",
    "not_before_duration",
    "issuer_name",
)
_LISTS = ("alt_names", "ip_sans", "uri_sans", "other_sans", "permitted_dns_domains")
_ANSWERED = ("certificate", "issuing_ca", "serial_number", "issuer_id", "key_id")
_NO_ISSUER = "unable to find PKI issuer for reference"


class RootCertOperations(Operations):
    """A root by its issuer, whose path is its id.

    Nothing of it is read again, but whether its issuer still has the same certificate.
    """

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> Made:
        """Have the engine make key and certificate."""
        if not vault.connection.supports(_SINCE):
            raise ProviderError(f"the lab's own vault plugin makes roots since Vault {_SINCE}")
        kind, backend = str(planned["type"]), str(planned["backend"])
        given = [*_TEXTS, "key_ref" if kind == "existing" else "key_name"]
        if kind not in ("existing", "kms"):
            given += ["key_type", "key_bits"]
        data: dict[str, Json] = {
            **{name: config[name] for name in given if config.get(name) is not None},
            "exclude_cn_from_sans": bool(planned["exclude_cn_from_sans"]),
        }
        for name in _LISTS:
            values = planned[name]
            if isinstance(values, list) and values:
                data[name] = ",".join(map(str, values))
        path = f"{backend.strip('/')}/issuers/generate/root/{kind}"
        with explaining(f'error creating root cert for PKI secret backend "{backend}"'):
            answer = vault.client.write(path, data) or {}
        return Made(
            f"{backend}/issuer/{answer['issuer_id']}",
            vault_values([ROOT_CERT.field(name) for name in _ANSWERED], answer),
        )

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Find what is known, as long as the engine is mounted."""
        if read_mount(vault.client, f"sys/mounts/{known['backend']}") is None:
            return None
        return {}

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Do nothing: what is no replacement has no effect on a root that exists."""
        return resource_id

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Delete the issuer; its key stays in the engine."""
        with explaining(f'error deleting root cert from PKI secret backend "{resource_id}"'):
            vault.client.delete(resource_id)

    @override
    def adjust(
        self, connection: VaultConnection, prior: Values, config: Values, plan: Plan
    ) -> Plan:
        """Plan for a new root where the issuer is gone or has another certificate."""
        serial = prior.get("serial_number")
        if is_empty(serial):
            return plan
        namespace = prior.get(NAMESPACE.name)
        client = connection.client(namespace if isinstance(namespace, str) else None)
        lost = "issuer_id"
        try:
            path = f"{plan.values['backend']}/issuer/{prior['issuer_id']}/json"
            found = client.read(path) or {}
            certificate = found.get("certificate")
            if certificate is None or _serial_number(certificate) == serial:
                return plan
            lost = "serial_number"
        except VaultError as error:
            if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
                return plan
            if not any(_NO_ISSUER in reason for reason in error.errors):
                raise
        return Plan({**plan.values, lost: UNKNOWN}, plan.replacing | {lost})


def _serial_number(certificate_pem: str) -> str:
    """Return the serial number as Vault writes it: pairs of hexadecimal digits between colons."""
    number = x509.load_pem_x509_certificate(certificate_pem.encode()).serial_number
    return number.to_bytes((number.bit_length() + 7) // 8, "big").hex(":")
