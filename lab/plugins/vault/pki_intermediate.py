"""An intermediate CA: its request, what its parent signs, and how it gets that back."""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence

from typing_extensions import override

from lab.plugins.provider.values import Value
from lab.plugins.vault import refusals
from lab.plugins.vault.client import Json, explaining
from lab.plugins.vault.mounting import read_mount
from lab.plugins.vault.pki import OnceWritten
from lab.plugins.vault.resource import Made, Vault
from lab.plugins.vault.schema import Field, Schema, Shape, Values

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)

_SUBJECT = tuple(
    Field(name, replaces=True)
    for name in (
        "ou",
        "organization",
        "country",
        "locality",
        "province",
        "street_address",
        "postal_code",
    )
)
_ALTERNATIVE_NAMES = tuple(
    Field(name, Shape.LIST, replaces=True)
    for name in ("alt_names", "ip_sans", "uri_sans", "other_sans")
)
_SIGNATURE_BITS = Field("signature_bits", Shape.INTEGER, replaces=True)
_EXCLUDE_COMMON_NAME = Field("exclude_cn_from_sans", Shape.BOOLEAN, replaces=True)

_REQUEST_TEXTS = (
    Field("common_name", required=True, replaces=True),
    Field("format", default="pem", replaces=True, refuse=refusals.none_of("pem")),
    Field(
        "private_key_format",
        default="der",
        replaces=True,
        refuse=refusals.none_of("der", "pkcs8"),
    ),
    *_SUBJECT,
    Field("serial_number", replaces=True),
    _SIGNATURE_BITS,
    Field(
        "key_type",
        default="rsa",
        replaces=True,
        refuse=refusals.none_of("rsa", "ec", "ed25519"),
    ),
    Field("key_bits", Shape.INTEGER, default=2048, replaces=True),
    Field("key_name", computed=True, replaces=True),
)
_REQUEST_FLAGS = (
    _EXCLUDE_COMMON_NAME,
    Field("add_basic_constraints", Shape.BOOLEAN, default=False, replaces=True),
)

CERTIFICATE_REQUEST = Schema(
    "vault:pkiSecret/secretBackendIntermediateCertRequest:SecretBackendIntermediateCertRequest",
    (
        Field("backend", required=True, replaces=True),
        # A key that leaves Vault, one that is there already and a managed one are not asked for.
        Field("type", required=True, replaces=True, refuse=refusals.none_of("internal")),
        *_REQUEST_TEXTS,
        *_REQUEST_FLAGS,
        *_ALTERNATIVE_NAMES,
        Field("csr", output=True),
        Field("key_id", output=True),
        Field("key_ref", output=True),
        Field("private_key", output=True, secret=True),
        Field("private_key_type", output=True),
    ),
)


class CertificateRequestOperations(OnceWritten):
    """A certificate request for a key that Vault makes with it."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> Made:
        """Have key and request made."""
        backend = str(planned["backend"])
        path = f"{backend.strip('/')}/issuers/generate/intermediate/{planned['type']}"
        data: dict[str, Json] = {
            **{field.name: planned[field.name] for field in _REQUEST_TEXTS if planned[field.name]},
            **{field.name: bool(planned[field.name]) for field in _REQUEST_FLAGS},
            **_joined(_ALTERNATIVE_NAMES, planned),
        }
        with explaining(
            f'error creating intermediate cert request for PKI secret backend "{backend}"'
        ):
            answer = vault.client.write(path, data) or {}
        told: Values = {"csr": answer.get("csr"), "key_id": answer.get("key_id")}
        # An id that ends in a random part, as any number of requests can be made.
        return Made(f"{path}/{uuid.uuid4()}", told)


_SIGNING_TEXTS = (
    Field("csr", required=True, replaces=True),
    Field("common_name", required=True, replaces=True),
    Field("ttl"),
    Field("format", default="pem", replaces=True, refuse=refusals.none_of("pem", "pem_bundle")),
    *_SUBJECT,
    _SIGNATURE_BITS,
    Field("skid", replaces=True),
    Field("not_after"),
    Field("not_before_duration", replaces=True, refuse=refusals.no_duration),
)
_PATH_LENGTH = Field("max_path_length", Shape.INTEGER, default=-1, replaces=True)
_SIGNING_FLAGS = (
    _EXCLUDE_COMMON_NAME,
    Field("use_csr_values", Shape.BOOLEAN, default=False, replaces=True),
    Field("use_pss", Shape.BOOLEAN, replaces=True),
)
_SIGNING_LISTS = (*_ALTERNATIVE_NAMES, Field("permitted_dns_domains", Shape.LIST, replaces=True))

SIGNED_INTERMEDIATE = Schema(
    "vault:pkiSecret/secretBackendRootSignIntermediate:SecretBackendRootSignIntermediate",
    (
        Field("backend", required=True, replaces=True),
        *_SIGNING_TEXTS,
        _PATH_LENGTH,
        *_SIGNING_FLAGS,
        *_SIGNING_LISTS,
        Field("issuer_ref"),
        Field("certificate", output=True),
        Field("issuing_ca", output=True),
        Field("ca_chain", Shape.LIST, output=True, plural=True),
        Field("certificate_bundle", output=True),
        Field("serial_number", output=True),
    ),
    state_version=2,
)


class SignedIntermediateOperations(OnceWritten):
    """A certificate that the CA of an engine signs for a request.

    Revoking it with its resource is left out: that field is refused as unknown.
    """

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> Made:
        """Have the request signed."""
        backend = str(planned["backend"])
        issuer = config.get("issuer_ref")
        mount = backend.strip("/")
        path = (
            f"{mount}/issuer/{issuer}/sign-intermediate"
            if issuer
            else f"{mount}/root/sign-intermediate"
        )
        data: dict[str, Json] = {
            **{
                field.name: config[field.name]
                for field in (*_SIGNING_TEXTS, _PATH_LENGTH)
                if config.get(field.name) is not None
            },
            **{field.name: bool(planned[field.name]) for field in _SIGNING_FLAGS},
            **_joined(_SIGNING_LISTS, planned),
        }
        if issuer:
            data["issuer_ref"] = issuer
        with explaining(f'error creating root sign-intermediate on PKI secret backend "{backend}"'):
            answer = vault.client.write(path, data) or {}
        told: Values = {
            **{name: answer.get(name) for name in ("certificate", "issuing_ca", "serial_number")},
            "ca_chain": answer.get("ca_chain")
            or [*_certificates(answer, "issuing_ca", "certificate")],
            "certificate_bundle": "\n".join(_certificates(answer, "certificate", "issuing_ca")),
        }
        common_name = planned["common_name"]
        return Made(f"{path if issuer else backend}/{common_name}", told)


def _certificates(answer: Mapping[str, Json], *names: str) -> Iterator[str]:
    """Return every certificate of these values of an answer, each once."""
    seen: set[str] = set()
    for name in names:
        for certificate in _PEM.findall(str(answer.get(name, ""))):
            if certificate not in seen:
                seen.add(certificate)
                yield certificate


SET_SIGNED = Schema(
    "vault:pkiSecret/secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned",
    (
        Field("backend", required=True, replaces=True),
        Field("certificate", required=True, replaces=True),
        Field("imported_issuers", Shape.LIST, output=True),
        Field("imported_keys", Shape.LIST, output=True),
    ),
)


class SetSignedOperations(OnceWritten):
    """The certificates of a chain, brought into the engine that has the key of the first."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> Made:
        """Import the certificates."""
        backend = str(planned["backend"])
        path = f"{backend.strip('/')}/intermediate/set-signed"
        with explaining(
            f'error creating intermediate set-signed on PKI secret backend "{backend}"'
        ):
            answer = vault.client.write(path, {"certificate": planned["certificate"]}) or {}
        told = {name: answer.get(name) for name in ("imported_issuers", "imported_keys")}
        return Made(f"{path}/{uuid.uuid4()}", told)

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Find what is known, and nothing where the engine is not there any more."""
        mounted = read_mount(vault.client, f"sys/mounts/{str(known['backend']).strip('/')}")
        return None if mounted is None else {}


def _joined(fields: Sequence[Field], planned: Mapping[str, Value]) -> dict[str, Json]:
    joined: dict[str, Json] = {}
    for field in fields:
        value = planned[field.name]
        if isinstance(value, list) and value:
            joined[field.name] = ",".join(str(item) for item in value)
    return joined
