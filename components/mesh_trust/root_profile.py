"""What a root that is yet to be made is to say, and whether one says it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from .root_checks import fingerprint, require_root
from .validation import (
    InvalidInputError,
    require_common_name,
    require_country,
    require_one_of,
    require_text,
    require_whole_number,
)


@dataclass(frozen=True)
class KeyAlgorithm:
    """A kind of key and its size."""

    family: str
    """`RSA` or `ECDSA`."""
    bits: int
    """Bits of the RSA modulus, or of the NIST curve."""


KEY_ALGORITHMS: Final = {
    "RSA-4096": KeyAlgorithm("RSA", 4096),
    "RSA-3072": KeyAlgorithm("RSA", 3072),
    "ECDSA-P256": KeyAlgorithm("ECDSA", 256),
    "ECDSA-P384": KeyAlgorithm("ECDSA", 384),
}

# Upper bounds of RFC 5280, appendix A.1: ub-organization-name and the like.
_SUBJECT_FIELDS: Final = {
    "organization": (NameOID.ORGANIZATION_NAME, 64),
    "organizational_unit": (NameOID.ORGANIZATIONAL_UNIT_NAME, 64),
    "country": (NameOID.COUNTRY_NAME, 2),
    "province": (NameOID.STATE_OR_PROVINCE_NAME, 128),
    "locality": (NameOID.LOCALITY_NAME, 128),
}


class RootCertificateArgs(TypedDict):
    """What the certificate of a root says. Everything here is fixed once the root exists."""

    common_name: NotRequired[str]
    """Common name (CN) of the subject: 1 to 64 characters; needed for a root that is made."""
    organization: NotRequired[str | None]
    """Organization (O) of the subject, up to 64 characters; none when absent."""
    organizational_unit: NotRequired[str | None]
    """Organizational unit (OU) of the subject, up to 64 characters; none when absent."""
    country: NotRequired[str | None]
    """Country (C) of the subject, two capital letters (ISO 3166); none when absent."""
    province: NotRequired[str | None]
    """State or province (ST) of the subject, up to 128 characters; none when absent."""
    locality: NotRequired[str | None]
    """Locality (L) of the subject, up to 128 characters; none when absent."""
    key_algorithm: NotRequired[str]
    """`RSA-4096` (when absent), `RSA-3072`, `ECDSA-P256` or `ECDSA-P384`."""
    lifetime_days: NotRequired[int]
    """How long the certificate is valid, in days; 3650 when absent."""
    path_length: NotRequired[int]
    """How many CAs may follow the root in a chain, 1 or more; 1 when absent: istiod's alone."""


@dataclass(frozen=True)
class RootProfile:
    """A root that is yet to be made; the fields are those of RootCertificateArgs."""

    common_name: str
    organization: str | None
    organizational_unit: str | None
    country: str | None
    province: str | None
    locality: str | None
    key_algorithm: KeyAlgorithm
    lifetime_days: int
    path_length: int

    @classmethod
    def of(cls, args: RootCertificateArgs) -> "RootProfile":
        """Reads the fields of `args`.

        Raises:
            InvalidInputError: a field has a value that cannot make a usable root.
        """
        return cls(
            common_name=require_common_name("common_name", args.get("common_name", "")),
            organization=_text("organization", args.get("organization")),
            organizational_unit=_text("organizational_unit", args.get("organizational_unit")),
            country=require_country("country", args.get("country")),
            province=_text("province", args.get("province")),
            locality=_text("locality", args.get("locality")),
            key_algorithm=KEY_ALGORITHMS[
                require_one_of(
                    "key_algorithm", args.get("key_algorithm", "RSA-4096"), KEY_ALGORITHMS
                )
            ],
            lifetime_days=require_whole_number(
                "lifetime_days", args.get("lifetime_days", 3650), minimum=1, unit="days"
            ),
            # Zero would leave no room for istiod's CA. The TLS provider would not even write it:
            # it leaves out the constraint.
            path_length=require_whole_number(
                "path_length", args.get("path_length", 1), minimum=1, unit="CAs"
            ),
        )

    def differences(self, certificate: x509.Certificate) -> list[str]:
        """In words, what `certificate` says otherwise than is asked for here."""
        return [
            f"{what} {found} instead of {asked}"
            for what, found, asked in self._compared(certificate)
            if found != asked
        ]

    def _compared(self, certificate: x509.Certificate) -> Iterator[tuple[str, str, str]]:
        subject = {"common name": (NameOID.COMMON_NAME, self.common_name)} | {
            field.replace("_", " "): (oid, getattr(self, field))
            for field, (oid, _) in _SUBJECT_FIELDS.items()
        }
        for what, (oid, asked) in subject.items():
            found = [str(each.value) for each in certificate.subject.get_attributes_for_oid(oid)]
            yield what, _listed(found), _listed([] if asked is None else [asked])
        known = {oid for oid, _ in subject.values()}
        further = [each for each in certificate.subject if each.oid not in known]
        yield "further subject", _listed([each.rfc4514_string() for each in further]), "none"
        algorithm = self.key_algorithm
        yield "key", _key(certificate), f"{algorithm.family} {algorithm.bits}"
        # Vault makes a certificate valid from half a minute before it is made.
        lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        yield "lifetime", f"{lifetime.days} days", f"{self.lifetime_days} days"
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        length = constraints.value.path_length
        yield "path length", "none" if length is None else str(length), str(self.path_length)


def require_as_asked(field: str, certificate_pem: str, profile: RootProfile) -> x509.Certificate:
    """Returns the root in `certificate_pem`, which was made as `profile` asks.

    A provider or a Vault that leaves out what it was asked for does so without a word: lifetimes
    that a mount cuts, constraints of length zero, commas in names.

    Raises:
        InvalidInputError: it is not as asked for, or not a usable root.
    """
    certificate = require_root(field, certificate_pem)
    differences = profile.differences(certificate)
    if differences:
        raise InvalidInputError(
            field,
            f"SHA-256 {fingerprint(certificate)}",
            f"it was made with {'; '.join(differences)}: ask for what it says, or make a new one",
        )
    return certificate


def _text(field: str, value: str | None) -> str | None:
    return require_text(field, value, maximum=_SUBJECT_FIELDS[field][1])


def _listed(values: list[str]) -> str:
    return ", ".join(map(repr, values)) or "none"


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, EllipticCurvePublicKey):
        return f"ECDSA {key.curve.key_size}"
    return type(key).__name__
