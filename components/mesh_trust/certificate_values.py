"""Certificates among arguments, PEM."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from .files import content_of, path_of
from .validation import InvalidInputError


def ca_certificates(file: str | Path, field: str = "file") -> str:
    """The CA certificates in a PEM file, for arguments such as `vault_ca_certificate`.

    Messages call the file `field`, by the name that it has in your program's configuration.

    Raises:
        InvalidInputError: it cannot be read, holds anything but certificates, or none of a CA that
            is valid.
    """
    path = path_of(field, str(file))
    return require_cas(field, str(path), certificates_in(field, path))


def certificates_in(field: str, path: Path) -> str:
    """The PEM certificates in the file `path`.

    Raises:
        InvalidInputError: it cannot be read, or has none.
    """
    content = content_of(field, path)
    return require_certificates(field, str(path), content, "name a PEM file of certificates")


def require_certificates(field: str, shown: object, content: bytes, fix: str) -> str:
    """Returns `content`, one or more PEM certificates, as text; errors show `shown` in its place.

    Raises:
        InvalidInputError: it is anything else, or not ASCII.
    """
    try:
        x509.load_pem_x509_certificates(content)
        return content.decode("ascii")
    except ValueError:
        raise InvalidInputError(field, shown, fix) from None


def require_cas(field: str, shown: object, certificates_pem: str) -> str:
    """Returns `certificates_pem`, among which is a CA's that is valid; errors show `shown`.

    Raises:
        InvalidInputError: none of the certificates is a CA's (RFC 5280, 4.2.1.9), or all of those
            have expired.
    """
    cas = [
        each for each in x509.load_pem_x509_certificates(certificates_pem.encode()) if _is_ca(each)
    ]
    if not cas:
        raise InvalidInputError(
            field, shown, "give it the certificate of the CA: this is not one (basicConstraints)"
        )
    ends = max(each.not_valid_after_utc for each in cas)
    if ends < datetime.now(UTC):
        raise InvalidInputError(
            field, shown, f"give it a CA that is valid: this one expired on {ends:%Y-%m-%d}"
        )
    return certificates_pem


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
