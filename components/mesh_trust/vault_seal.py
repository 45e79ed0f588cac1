"""What unseals Vault by itself: a key in a cloud's key management, or in another Vault."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

import pulumi

from .validation import InvalidInputError, require_server_address, require_vault_path
from .vault_configuration import PLACEHOLDERS, Seal

SEAL_FOLDER = "/vault/seal"
"""Where a server finds the files among its credentials."""


class AwsKmsArgs(TypedDict):
    """A key of AWS KMS. Without credentials, the pods' own (IRSA, Pod Identity) are used."""

    region: str
    """Region of the key, such as `eu-central-1`."""
    kms_key_id: str
    """Id, ARN or alias of the key."""
    endpoint: NotRequired[str]
    """Address of a KMS endpoint of one's own, `https://…`."""
    access_key_id: NotRequired[pulumi.Input[str]]
    """Access key that may encrypt, decrypt and describe the key; goes into a Secret."""
    secret_access_key: NotRequired[pulumi.Input[str]]
    """Its secret; goes into a Secret."""
    session_token: NotRequired[pulumi.Input[str]]
    """Token of a temporary access key; goes into a Secret."""


class GcpCkmsArgs(TypedDict):
    """A key of Google Cloud KMS. Without credentials, the pods' workload identity is used."""

    project: str
    """Project of the key ring."""
    region: str
    """Location of the key ring, such as `global`."""
    key_ring: str
    """Name of the key ring."""
    crypto_key: str
    """Name of the key."""
    credentials: NotRequired[pulumi.Input[str]]
    """Key of a service account, JSON; goes into a Secret."""


class AzureKeyVaultArgs(TypedDict):
    """A key in Azure Key Vault. Without `client_secret`, the pods' own identity is used."""

    tenant_id: str
    """Id of the tenant."""
    vault_name: str
    """Name of the key vault."""
    key_name: str
    """Name of the key."""
    client_id: NotRequired[str]
    """Id of the application or managed identity."""
    client_secret: NotRequired[pulumi.Input[str]]
    """Secret of the application; goes into a Secret."""


class TransitArgs(TypedDict):
    """A key of the transit engine of another Vault."""

    address: str
    """Address of the other Vault, `https://host[:port]`."""
    key_name: str
    """Name of the key."""
    mount_path: NotRequired[str]
    """Path of the transit engine; `transit` when absent."""
    namespace: NotRequired[str]
    """Namespace of Vault Enterprise that the engine is in."""
    token: pulumi.Input[str]
    """Token that may encrypt and decrypt with the key, periodic and without a parent that ends it;
    goes into a Secret."""
    ca_certificate: NotRequired[pulumi.Input[str]]
    """CA certificates that the other Vault's own chains to, PEM; the system's when absent."""


class SealArgs(TypedDict):
    """What unseals Vault by itself: exactly one of these."""

    awskms: NotRequired[AwsKmsArgs]
    """A key of AWS KMS."""
    gcpckms: NotRequired[GcpCkmsArgs]
    """A key of Google Cloud KMS."""
    azurekeyvault: NotRequired[AzureKeyVaultArgs]
    """A key in Azure Key Vault."""
    transit: NotRequired[TransitArgs]
    """A key of another Vault's transit engine."""


@dataclass(frozen=True)
class _Kind:
    """How the fields of a kind reach Vault."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    """Credentials by the environment variable that Vault reads, by field."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Credentials in files, by field: the name of the file."""
    together: tuple[str, ...] = ()
    """Credentials of which none is of use without the others."""

    @property
    def credentials(self) -> tuple[str, ...]:
        return (*self.variables, *self.files)


_KINDS = {
    "awskms": _Kind(
        ("region", "kms_key_id"),
        ("endpoint",),
        {
            "access_key_id": "AWS_ACCESS_KEY_ID",
            "secret_access_key": "AWS_SECRET_ACCESS_KEY",
            "session_token": "AWS_SESSION_TOKEN",
        },
        together=("access_key_id", "secret_access_key"),
    ),
    "gcpckms": _Kind(
        ("project", "region", "key_ring", "crypto_key"),
        files={"credentials": "credentials.json"},
    ),
    "azurekeyvault": _Kind(
        ("tenant_id", "vault_name", "key_name"),
        ("client_id",),
        {"client_secret": "AZURE_CLIENT_SECRET"},
    ),
    "transit": _Kind(
        ("address", "key_name"),
        ("mount_path", "namespace"),
        {"token": "VAULT_TOKEN"},
        {"ca_certificate": "ca.crt"},
    ),
}
SEALS = tuple(_KINDS)
CREDENTIALS = frozenset(each for kind in _KINDS.values() for each in kind.credentials) - {
    "ca_certificate"
}
"""Fields that are nobody's to read, of whichever seal."""

# Neither quotes nor anything that Vault, the chart or its script would read as more than a text.
_PLAIN = re.compile(r"[\w.:/@+=-]{1,2048}", re.ASCII)


@dataclass(frozen=True)
class SealPlan:
    """What becomes of a seal's arguments."""

    seal: Seal
    """The stanza of Vault's configuration."""
    content: Mapping[str, pulumi.Input[str]]
    """What the Secret holds, by its key: the environment variable's name, or the file's."""
    variables: tuple[str, ...]
    """The keys of `content` that are environment variables."""
    files: tuple[str, ...]
    """The keys of `content` that are files below SEAL_FOLDER."""
    environment: Mapping[str, str]
    """Further environment variables, which hold no secret."""


def seal_plan(args: SealArgs, name: str = "seal") -> SealPlan:
    """What `args`, the argument `name`, ask for.

    Raises:
        InvalidInputError: they name no seal or several, or a field of it is not usable.
    """
    kind, given = _one_of(args, name)
    place, known = f"{name}.{kind}", _KINDS[kind]
    _check_fields(place, given, known)
    parameters = {
        each: _plain(f"{place}.{each}", given[each])
        for each in (*known.required, *known.optional)
        if each in given
    }
    if kind == "transit":
        require_server_address(f"{place}.address", parameters["address"])
        parameters["mount_path"] = _mount_path(place, parameters.get("mount_path", "transit"))
    secrets = [each for each in known.credentials if each in given]
    content = {known.variables.get(each) or known.files[each]: given[each] for each in secrets}
    files = tuple(known.files[each] for each in secrets if each in known.files)
    environment = {}
    for file in files:
        if kind == "transit":
            parameters["tls_ca_cert"] = f"{SEAL_FOLDER}/{file}"
        else:
            environment["GOOGLE_APPLICATION_CREDENTIALS"] = f"{SEAL_FOLDER}/{file}"
    variables = tuple(each for each in content if each not in files)
    return SealPlan(Seal(kind, parameters), content, variables, files, environment)


def _one_of(args: object, name: str) -> tuple[str, Mapping[str, Any]]:
    expected = f"give it exactly one of {', '.join(SEALS)}, with its fields"
    if not isinstance(args, Mapping):
        raise InvalidInputError(name, "…", expected)
    for each in args:
        if each not in _KINDS:
            raise InvalidInputError(f"{name}.{each}", "…", expected)
    if len(args) != 1:
        raise InvalidInputError(name, ", ".join(args) or None, expected)
    [(kind, given)] = args.items()
    if not isinstance(given, Mapping):
        raise InvalidInputError(
            f"{name}.{kind}", "…", f"give it the fields {', '.join(_KINDS[kind].required)}"
        )
    return kind, given


def _check_fields(place: str, given: Mapping[str, Any], known: _Kind) -> None:
    fields = (*known.required, *known.optional, *known.credentials)
    for each in given:
        if each not in fields:
            raise InvalidInputError(
                f"{place}.{each}", "…", f"leave it out; there are {', '.join(fields)}"
            )
    required = known.required
    if place.endswith(".transit"):
        required = (*required, "token")
    elif any(each in given for each in known.together):
        required = (*required, *known.together)
    for each in required:
        if each not in given:
            raise InvalidInputError(f"{place}.{each}", None, "give it a value")
    for each in known.credentials:
        value = given.get(each)
        if (
            each in given
            and not isinstance(value, pulumi.Output)
            and (not isinstance(value, str) or not value.strip())
        ):
            raise InvalidInputError(f"{place}.{each}", "…", "give it a text that is not empty")


def _plain(place: str, value: object) -> str:
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        raise InvalidInputError(place, value, "use letters, digits and the signs . : / @ + = _ -")
    for word in PLACEHOLDERS:
        if word in value:
            raise InvalidInputError(place, value, f"leave out {word}: the chart replaces it")
    return value


def _mount_path(place: str, value: str) -> str:
    return require_vault_path(f"{place}.mount_path", value.strip("/")) + "/"
