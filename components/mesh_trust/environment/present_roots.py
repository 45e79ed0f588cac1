"""The roots that a stack has by its own outputs, as the last update left them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from mesh_trust.root_checks import fingerprint
from mesh_trust.root_pki_args import FIRST

from .stack_outputs import own_outputs

ROOT_CERTIFICATE = "rootCertificate"
"""The stack's output that holds the certificate of the root that signs, PEM."""
ROOTS = "roots"
"""The stack's output with all generations of the root."""


@dataclass(frozen=True)
class PresentRoot:
    """A generation that is trusted by now."""

    name: str
    certificate: x509.Certificate
    signing: bool
    """Whether it is the one that signs."""

    def __str__(self) -> str:
        return f"{self.name} (SHA-256 {fingerprint(self.certificate)})"


def roots_output(certificates_pem: Mapping[str, str], signing: str) -> list[dict[str, Any]]:
    """What the output `roots` says of certificates, PEM by the names of their generations.

    Fingerprints are SHA-256, and the end of a root is in ISO 8601, UTC.
    """
    return [
        {
            "name": name,
            "fingerprint": fingerprint(certificate),
            "notAfter": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
            "signing": name == signing,
            "certificate": pem,
        }
        for name, pem in certificates_pem.items()
        for certificate in (x509.load_pem_x509_certificate(pem.encode()),)
    ]


def present_roots() -> dict[str, PresentRoot]:
    """The generations by name, one of them signing; none before the first update.

    Raises:
        OutputsUnreadableError: it cannot be told what there is.
    """
    return roots_in(own_outputs())


def roots_in(outputs: Mapping[str, Any]) -> dict[str, PresentRoot]:
    """The generations that a stack's outputs tell, by name, in the order in which these list them.

    None where there was no update yet.
    """
    signing_pem = outputs.get(ROOT_CERTIFICATE)
    if signing_pem is None:
        return {}
    listed = outputs.get(ROOTS)
    if listed is None:
        # What was set up before there were generations.
        listed = [{"name": FIRST, "signing": True, "certificate": signing_pem}]
    return {
        each["name"]: PresentRoot(
            each["name"],
            x509.load_pem_x509_certificate(each["certificate"].encode()),
            each["signing"],
        )
        for each in listed
    }
