"""Whether what a mount signs with stands below a given root, and has room below itself."""

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from .root_checks import named
from .validation import InvalidInputError


def require_chain(
    field: str, mount_path: str, root_pem: str, issuer_pem: str, chain_pem: Sequence[str]
) -> list[x509.Certificate]:
    """The certificates from the issuer of `mount_path` up to the root, both included.

    `chain_pem` is what Vault knows above the issuer, in any order. Each of them has to leave room
    for those below it and for one CA more, which is istiod's (RFC 5280, 4.2.1.9).

    Raises:
        InvalidInputError: the issuer does not stand below the root, or there is no room.
    """
    root, issuer = _read(root_pem), _read(issuer_pem)
    above = [root, *map(_read, chain_pem)]
    chain = way_up(issuer, root, above)
    if chain[-1] != root:
        raise InvalidInputError(
            field,
            mount_path,
            f"its default issuer is {named(issuer)}, which does not stand below the root "
            f"{named(root)}: use that mount's root, or another mount",
        )
    for below, certificate in enumerate(chain):
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        length = constraints.path_length
        if length is not None and length < below + 1:
            raise InvalidInputError(
                field,
                mount_path,
                f"{named(certificate)} has path length {length}, and {below + 1} CAs are to stand "
                "below it, istiod's the last: use a mount whose issuer leaves room for it",
            )
    return chain


def way_up(
    certificate: x509.Certificate, root: x509.Certificate, above: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    """From `certificate` up to `root`, both included; ends elsewhere where it does not lead there.

    `above` are those that may stand between them, and `root` itself, in any order.
    """
    way = [certificate]
    while way[-1] != root:
        upper = next((each for each in above if has_issued(each, way[-1])), None)
        if upper is None or upper in way:
            break
        way.append(upper)
    return way


def _read(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def has_issued(upper: x509.Certificate, lower: x509.Certificate) -> bool:
    """Whether `lower` is signed by `upper`, and names it as its issuer."""
    try:
        lower.verify_directly_issued_by(upper)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True
