"""What Gloo says of certificates in a RootTrustPolicy: how they are made, and who signs them."""

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

from .kubernetes_values import ObjectReference, object_reference
from .structures import fields_of, require_exactly_one
from .validation import (
    InvalidInputError,
    require_one_of,
    require_text,
    require_whole_number,
)

GLOO_LIFETIME_DAYS = 365
"""What Gloo asks for when `ttlDays` says nothing."""
GLOO_RSA_KEY_SIZE = 4096
GLOO_ORGANIZATION = "gloo-mesh"

# What Vault takes for RSA keys of its own (sdk/helper/certutil, ValidateKeyTypeLength).
RSA_KEY_SIZES = (2048, 3072, 4096, 8192)

_LARGEST_UINT32 = 2**32 - 1
# RFC 5280, ub-organization-name.
_ORGANIZATION_LENGTH = 64


class CertificateOptions(TypedDict):
    """How certificates are made; Gloo's own defaults are not written out."""

    ttl_days: NotRequired[int]
    """Lifetime in days, 1 to 4294967295 (Gloo: `ttlDays`); 365 when absent."""
    rsa_key_size_bytes: NotRequired[int]
    """Size of the RSA key: 2048, 3072, 4096 or 8192 (Gloo: `rsaKeySizeBytes`); 4096 when absent.
    Going by its default, that is in bits, whatever its name says."""
    org_name: NotRequired[str]
    """Organisation in the subject, 1 to 64 characters (Gloo: `orgName`); `gloo-mesh` when
    absent."""
    secret_rotation_grace_period_ratio: NotRequired[float]
    """Share of the lifetime that is left when renewal begins, between 0 and 1, neither included
    (Gloo: `secretRotationGracePeriodRatio`); Gloo's own when absent."""


class ManagementServerCa(TypedDict):
    """A root that Gloo's management server holds: exactly one of the fields."""

    generated: NotRequired[CertificateOptions]
    """One that Gloo makes, in this way (Gloo: `generated`); `{}` for all of Gloo's defaults."""
    secret_ref: NotRequired[ObjectReference]
    """The Secret with one that there is (Gloo: `secretRef`)."""


def certificate_options(field: str, value: object) -> dict[str, Any]:
    """The CertificateOptions `value` as Gloo has them, without what Gloo does by itself.

    Raises:
        InvalidInputError: a field is not usable.
    """
    given = fields_of(field, value, CertificateOptions)
    days = require_whole_number(
        f"{field}.ttl_days",
        given.get("ttl_days", GLOO_LIFETIME_DAYS),
        minimum=1,
        maximum=_LARGEST_UINT32,
        unit="days",
    )
    size = require_one_of(
        f"{field}.rsa_key_size_bytes",
        given.get("rsa_key_size_bytes", GLOO_RSA_KEY_SIZE),
        RSA_KEY_SIZES,
    )
    organization = require_text(
        f"{field}.org_name", given.get("org_name", GLOO_ORGANIZATION), maximum=_ORGANIZATION_LENGTH
    )
    options: dict[str, Any] = {}
    if days != GLOO_LIFETIME_DAYS:
        options["ttlDays"] = days
    if size != GLOO_RSA_KEY_SIZE:
        options["rsaKeySizeBytes"] = size
    if organization != GLOO_ORGANIZATION:
        options["orgName"] = organization
    if "secret_rotation_grace_period_ratio" in given:
        options["secretRotationGracePeriodRatio"] = _ratio(
            f"{field}.secret_rotation_grace_period_ratio",
            given["secret_rotation_grace_period_ratio"],
        )
    return options


def management_server_ca(field: str, value: object) -> dict[str, Any]:
    """The ManagementServerCa `value` as Gloo has it.

    Raises:
        InvalidInputError: a field is not usable, or there is not exactly one.
    """
    given = fields_of(field, value, ManagementServerCa)
    if require_exactly_one(field, given, ("generated", "secret_ref")) == "generated":
        return {"generated": certificate_options(f"{field}.generated", given["generated"])}
    return {"secretRef": object_reference(f"{field}.secret_ref", given["secret_ref"])}


def passive_certificate_authorities(field: str, value: object) -> list[dict[str, Any]]:
    """The list `value` of ManagementServerCa as Gloo has it.

    Raises:
        InvalidInputError: it is empty, or a field is not usable.
    """
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise InvalidInputError(field, value, "list one or more roots, or leave it out")
    return [management_server_ca(f"{field}[{place}]", each) for place, each in enumerate(value)]


def _ratio(field: str, value: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value < 1:
        raise InvalidInputError(field, value, "use a number between 0 and 1, such as 0.1")
    return value
