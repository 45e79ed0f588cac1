"""Roots to try things with: good ones, and each with one fault."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

# Contents of the object identifiers sha256WithRSAEncryption and sha1WithRSAEncryption.
_SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
_SHA1_WITH_RSA = bytes.fromhex("2a864886f70d010105")


def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Recipe:
    """How to make a certificate; as it is, that of a good root. Days count from now."""

    key: PrivateKey = field(default_factory=ec_key)
    common_name: str = "root"
    issuer: str | None = None
    """Common name of the issuer; its own when absent."""
    signer: PrivateKey | None = None
    """Key of the issuer; its own when absent."""
    starts: float = -1
    ends: float = 3650
    ca: bool | None = True
    """None: no basic constraints at all."""
    constraints_critical: bool = True
    path_length: int | None = 1
    usage: tuple[bool, bool] | None = (True, True)
    """Whether it may sign certificates and revocation lists; None: no key usage at all."""
    usage_critical: bool = True
    key_id: bool = True


@dataclass(frozen=True)
class Made:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def private_key_pem(self) -> str:
        return key_pem(self.key)


def key_pem(
    key: PrivateKey,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


def encrypted_key_pem(key: PrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return key_pem(key, form, BestAvailableEncryption(b"passphrase"))


def make(recipe: Recipe | None = None) -> Made:
    recipe = recipe or Recipe()
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(recipe.common_name))
        .issuer_name(_name(recipe.issuer or recipe.common_name))
        .public_key(recipe.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=recipe.starts))
        .not_valid_after(now + timedelta(days=recipe.ends))
    )
    if recipe.ca is not None:
        length = recipe.path_length if recipe.ca else None
        constraints = x509.BasicConstraints(recipe.ca, length)
        builder = builder.add_extension(constraints, recipe.constraints_critical)
    if recipe.usage is not None:
        certificates, lists = recipe.usage
        usage = x509.KeyUsage(
            digital_signature=not certificates,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=certificates,
            crl_sign=lists,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, recipe.usage_critical)
    if recipe.key_id:
        key_id = x509.SubjectKeyIdentifier.from_public_key(recipe.key.public_key())
        builder = builder.add_extension(key_id, critical=False)
    signer = recipe.signer or recipe.key
    if recipe.signer is not None and recipe.key_id:
        # Vault goes up a chain by these.
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(authority, critical=False)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else SHA256()
    return Made(builder.sign(signer, algorithm), recipe.key)


def with_sha1(made: Made) -> Made:
    """The same certificate with a signature of RSA and SHA-1, which the library does not make."""
    assert isinstance(made.key, rsa.RSAPrivateKey)
    to_sign = made.certificate.tbs_certificate_bytes
    altered = to_sign.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA)
    der = (
        made.certificate.public_bytes(Encoding.DER)
        .replace(to_sign, altered)
        .replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA)
        .replace(made.certificate.signature, made.key.sign(altered, PKCS1v15(), SHA1()))
    )
    return replace(made, certificate=x509.load_der_x509_certificate(der))


def certificate_faults() -> Mapping[str, Made]:
    """Roots with one fault each, by what is wrong."""
    key = ec_key()
    good = Recipe(key=key)
    other = ec_key()
    return {
        "not a CA": make(replace(good, ca=False)),
        "no constraints": make(replace(good, ca=None)),
        "constraints not critical": make(replace(good, constraints_critical=False)),
        "no room for an intermediate": make(replace(good, path_length=0)),
        "no key usage": make(replace(good, usage=None)),
        "may not sign certificates": make(replace(good, usage=(False, True))),
        "key usage not critical": make(replace(good, usage_critical=False)),
        "no key identifier": make(replace(good, key_id=False)),
        "short RSA key": make(replace(good, key=rsa_key(1024))),
        "weak curve": make(replace(good, key=ec_key(ec.SECP224R1))),
        "Ed25519": make(replace(good, key=ed25519.Ed25519PrivateKey.generate())),
        "SHA-1": with_sha1(make(replace(good, key=rsa_key()))),
        "an intermediate": make(replace(good, issuer="above", signer=other)),
        "another's signature": make(replace(good, signer=other)),
        "expired": make(replace(good, starts=-20, ends=-10)),
        "yet to come": make(replace(good, starts=10)),
    }


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
