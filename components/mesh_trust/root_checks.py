"""Whether a certificate and a key can be the root of the mesh.

Vault takes nearly everything: a root that has expired, that another key signed, that may not sign
certificates at all. What it is given is therefore checked here, before it is given.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import combinations
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .validation import InvalidInputError

MINIMUM_RSA_BITS = 2048
CURVES = ("secp256r1", "secp384r1", "secp521r1")
HASHES = ("sha256", "sha384", "sha512")

_ExtensionType = TypeVar("_ExtensionType", bound=x509.ExtensionType)

_BEGIN = "-----BEGIN "
_HIDDEN = "…"
"""Stands in messages for what they must not show."""


def named(certificate: x509.Certificate) -> str:
    """Subject and SHA-256 fingerprint of a certificate, as a sentence names it."""
    return f"{certificate.subject.rfc4514_string()!r} (SHA-256 {fingerprint(certificate)})"


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 fingerprint of `certificate`: 32 pairs of hexadecimal digits between colons."""
    return certificate.fingerprint(SHA256()).hex(":")


def only_certificate(field: str, certificate_pem: str) -> x509.Certificate:
    """The one certificate that `certificate_pem` holds.

    Raises:
        InvalidInputError: it holds none, several, or a private key.
    """
    if "PRIVATE KEY-----" in certificate_pem:
        raise InvalidInputError(field, _HIDDEN, "leave the private key out: it has its own field")
    try:
        certificates = x509.load_pem_x509_certificates(certificate_pem.encode())
    except ValueError:
        raise InvalidInputError(
            field, _HIDDEN, "use the content of a PEM file with one certificate"
        ) from None
    if len(certificates) != 1:
        raise InvalidInputError(
            field,
            f"{len(certificates)} certificates",
            "use the certificate of the root alone, without those that it signed",
        )
    return certificates[0]


def require_root(
    field: str,
    certificate_pem: str,
    *,
    further_cas: int = 1,
    accept_missing_key_usage: bool = False,
) -> x509.Certificate:
    """Returns the root in `certificate_pem`, below which there is room for `further_cas` CAs.

    What a CA's certificate has to say is in RFC 5280, 4.2.1.2 (key identifier), 4.2.1.3 (key
    usage) and 4.2.1.9 (basic constraints). `openssl req -x509` writes no key usage unless it is
    told to, so that such roots exist; `accept_missing_key_usage` lets these pass.

    Raises:
        InvalidInputError: it is no certificate, or not that of a root that can sign these CAs now.
    """
    certificate = only_certificate(field, certificate_pem)
    faults = []
    try:
        for fault in _faults(certificate, further_cas, accept_missing_key_usage):
            # One by one: what cannot be read does not hide what was found before.
            faults.append(fault)
    except ValueError as error:
        faults.append(f"it cannot be read ({error}): make it anew")
    if faults:
        shown = f"SHA-256 {fingerprint(certificate)}"
        raise InvalidInputError(field, shown, "; besides, ".join(faults))
    return certificate


def require_root_key(field: str, private_key_pem: str, certificate: x509.Certificate) -> None:
    """Checks that `private_key_pem` holds the private key of `certificate`, and nothing else.

    Raises:
        InvalidInputError: it does not, or the key is encrypted; the message shows nothing of it.
    """
    blocks = [part.partition("-----")[0] for part in private_key_pem.split(_BEGIN)[1:]]
    keys = [label for label in blocks if label.endswith("PRIVATE KEY")]
    # `openssl ecparam -genkey` names the curve in a block of its own, which Vault passes over.
    if len(keys) != 1 or set(blocks) - set(keys) - {"EC PARAMETERS"}:
        raise InvalidInputError(field, _HIDDEN, "use one private key in PEM and nothing else")
    try:
        key = load_pem_private_key(private_key_pem.encode(), None)
    except TypeError:
        raise InvalidInputError(
            field, _HIDDEN, "it is encrypted: decrypt it with `openssl pkey -in FILE`"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInputError(field, _HIDDEN, "it cannot be read: export it as PEM") from None
    if key.public_key() != certificate.public_key():
        raise InvalidInputError(
            field,
            _HIDDEN,
            f"use the key of the certificate SHA-256 {fingerprint(certificate)}: this is another's",
        )


def _faults(
    certificate: x509.Certificate, further_cas: int, accept_missing_key_usage: bool
) -> Iterator[str]:
    yield from _constraint_faults(certificate, further_cas)
    yield from _usage_faults(certificate, accept_missing_key_usage)
    yield from _strength_faults(certificate)
    yield from _signature_faults(certificate)
    yield from _validity_faults(certificate)


def _constraint_faults(certificate: x509.Certificate, further_cas: int) -> Iterator[str]:
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.value.ca:
        yield (
            "it is not marked for CA use (basicConstraints CA:TRUE), as LibreSSL leaves it, which "
            "macOS calls openssl: make it with OpenSSL 1.1.1 or newer"
        )
        return
    if not constraints.critical:
        yield "its basicConstraints are not critical: make it anew with critical,CA:TRUE"
    length = constraints.value.path_length
    if length is not None and length < further_cas:
        yield (
            f"its path length is {length}, and a chain has {further_cas} more to come "
            f"below it: make it anew with pathlen:{further_cas} or without a limit"
        )


def _usage_faults(certificate: x509.Certificate, accept_missing_key_usage: bool) -> Iterator[str]:
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None:
        if not accept_missing_key_usage:
            yield (
                "it has no keyUsage: make it anew with "
                "`openssl req -addext keyUsage=critical,keyCertSign,cRLSign`, or accept one that "
                "is in use already as docs/root-ca.md says"
            )
    elif not usage.value.key_cert_sign:
        yield "its keyUsage lacks keyCertSign: make it anew with critical,keyCertSign,cRLSign"
    elif not usage.critical:
        yield "its keyUsage is not critical: make it anew with critical,keyCertSign,cRLSign"
    if _extension(certificate, x509.SubjectKeyIdentifier) is None:
        yield (
            "it has no subjectKeyIdentifier, without which Vault cannot sign a revocation list: "
            "make it anew with subjectKeyIdentifier=hash"
        )


def _strength_faults(certificate: x509.Certificate) -> Iterator[str]:
    wanted = f"use RSA of {MINIMUM_RSA_BITS} bits or more, or ECDSA on P-256, P-384 or P-521"
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        yield f"its key is of an unknown kind: {wanted}"
        return
    if isinstance(key, RSAPublicKey):
        if key.key_size < MINIMUM_RSA_BITS:
            yield f"its RSA key has {key.key_size} bits: {wanted}"
    elif not isinstance(key, EllipticCurvePublicKey):
        yield f"its key is neither RSA nor ECDSA: {wanted}"
    elif key.curve.name not in CURVES:
        yield f"its key is on the curve {key.curve.name}: {wanted}"


def _signature_faults(certificate: x509.Certificate) -> Iterator[str]:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None
    if algorithm is None or algorithm.name not in HASHES:
        name = "an unknown hash" if algorithm is None else algorithm.name.upper()
        yield f"it is signed with {name}: make it anew with SHA-256 or longer"
        return
    if certificate.issuer != certificate.subject:
        yield (
            f"it is not self-signed but issued by {certificate.issuer.rfc4514_string()!r}: "
            "use the root at the top of its chain"
        )
        return
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, TypeError, ValueError):
        yield "it is not self-signed: its signature is another key's; use the root as it was made"


def _validity_faults(certificate: x509.Certificate) -> Iterator[str]:
    now = datetime.now(UTC)
    if now > certificate.not_valid_after_utc:
        yield f"it expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: use a valid one"
    if now < certificate.not_valid_before_utc:
        yield (
            f"it is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: "
            "use one that is valid now, or set this machine's clock"
        )


def _extension(
    certificate: x509.Certificate, kind: type[_ExtensionType]
) -> x509.Extension[_ExtensionType] | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def is_same_ca(one: x509.Certificate, other: x509.Certificate) -> bool:
    """Whether two certificates are of one key and name."""
    return one.public_key() == other.public_key() and one.subject == other.subject


def require_different_cas(certificates: Mapping[str, str]) -> None:
    """Checks that no two certificates, PEM by field, are of one key and name.

    Vault does not sign where a mount has two such certificates, and takes the same one twice for
    one.

    Raises:
        InvalidInputError: two are.
    """
    loaded = {
        field: x509.load_pem_x509_certificate(pem.encode()) for field, pem in certificates.items()
    }
    for (field, one), (other_field, other) in combinations(loaded.items(), 2):
        if is_same_ca(one, other):
            raise InvalidInputError(
                other_field,
                other.subject.rfc4514_string(),
                f"leave it out, or bring a root with another key or name than {field}: Vault does "
                "not sign where a mount has two certificates of one key and name",
            )
