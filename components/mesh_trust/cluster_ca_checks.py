"""Whether a cluster's own CA is what was asked for, below a root that leaves room for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from .issuing_chain import require_chain
from .validation import InvalidInputError

ROOT_PATH_LENGTH = 2
"""How many CAs follow the root: the cluster's own, and istiod's."""

# A certificate is valid from some seconds before it is signed, and asked for in whole hours.
_TOLERANCE = timedelta(hours=1)


@dataclass(frozen=True)
class CaLifetimes:
    """How long a CA and what it signs are to live."""

    ca_days: int
    intermediate_days: int
    generation: int
    """Counts the CAs of the cluster."""


def require_room(root_certificate_pem: str) -> str:
    """Returns `root_certificate_pem`, a root below which two CAs may stand.

    Raises:
        InvalidInputError: its path length allows fewer, or it is no CA's. Vault would sign all the
            same.
    """
    root = x509.load_pem_x509_certificate(root_certificate_pem.encode())
    try:
        constraints = root.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        raise InvalidInputError(
            "root_certificate_pem",
            root.subject.rfc4514_string(),
            "use the certificate of a CA: it is not marked for CA use",
        ) from None
    length = constraints.path_length
    if length is not None and length < ROOT_PATH_LENGTH:
        raise InvalidInputError(
            "root_certificate_pem",
            root.subject.rfc4514_string(),
            f"its path length is {length}, and the cluster's CA and istiod's are to stand below "
            f"it: use a root of path length {ROOT_PATH_LENGTH}, or let the root sign",
        )
    return root_certificate_pem


def checked_chain(
    certificate_pem: str,
    ca_chain: Sequence[str] | None,
    root_certificate_pem: str,
    root_mount_path: str,
    lifetimes: CaLifetimes,
) -> list[str]:
    """The cluster's CA and all that stand above it, PEM, each once.

    Vault cuts a lifetime that the mount does not allow, and lets a CA outlive its root; it only
    warns of both.

    Raises:
        InvalidInputError: what signed the CA does not stand below the root or leaves no room for
            it, or the CA was cut short, outlives its root, or has too little time left for what it
            is to sign.
    """
    require_chain(
        "root_mount_path", root_mount_path, root_certificate_pem, certificate_pem, ca_chain or ()
    )
    root = x509.load_pem_x509_certificate(root_certificate_pem.encode())
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    ends = certificate.not_valid_after_utc
    lifetime = ends - certificate.not_valid_before_utc
    if lifetime + _TOLERANCE < timedelta(days=lifetimes.ca_days):
        raise InvalidInputError(
            "lifetime_days",
            lifetimes.ca_days,
            f"the mount of the root cut it to {lifetime.days} days: use that, or let the mount "
            f"allow more and use generation {lifetimes.generation + 1}",
        )
    if ends > root.not_valid_after_utc:
        left = root.not_valid_after_utc - certificate.not_valid_before_utc
        raise InvalidInputError(
            "lifetime_days",
            lifetimes.ca_days,
            f"use less than {left.days}: the root ends on {root.not_valid_after_utc:%Y-%m-%d}",
        )
    if ends - datetime.now(UTC) < timedelta(days=lifetimes.intermediate_days):
        raise InvalidInputError(
            "generation",
            lifetimes.generation,
            f"use {lifetimes.generation + 1}: this CA ends on {ends:%Y-%m-%d}, before an "
            f"intermediate of {lifetimes.intermediate_days} days would",
        )
    chain = (certificate_pem, *(ca_chain or ()), root_certificate_pem)
    return list(dict.fromkeys(pem.strip() for pem in chain))
