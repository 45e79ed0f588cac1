"""Whether a workload's certificate chains to a root, judged by a library and not by us."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from .handshake import Intermediate


def workload_certificate(intermediate: Intermediate) -> x509.Certificate:
    """A short-lived workload certificate, signed by `intermediate` as istiod would."""
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    identity = x509.UniformResourceIdentifier("spiffe://cluster.local/ns/bookinfo/sa/reviews")
    issuer_key_id = x509.SubjectKeyIdentifier.from_public_key(intermediate.private_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(intermediate.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([identity]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id),
            critical=False,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(intermediate.private_key, SHA256())
    )


def verify(
    leaf: x509.Certificate,
    intermediate: x509.Certificate,
    root: x509.Certificate,
    *between: x509.Certificate,
) -> None:
    """Verifies the chain from `leaf` through `intermediate`, and those `between`, to `root`.

    Raises:
        cryptography.x509.verification.VerificationError: it does not chain.
    """
    PolicyBuilder().store(Store([root])).build_client_verifier().verify(
        leaf, [intermediate, *between]
    )
