"""Roots whose keys are strong, and which last long enough, and not for ever."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from .durations import seconds_of
from .resource import CA_COMPONENTS, Resource
from .rule import Bound, Rule, Settings

_KEY = "tls:index/privateKey:PrivateKey"
_CERTIFICATE = "tls:index/selfSignedCert:SelfSignedCert"
_IN_VAULT = "vault:pkiSecret/secretBackendRootCert:SecretBackendRootCert"
_REQUEST = (
    "vault:pkiSecret/secretBackendIntermediateCertRequest:SecretBackendIntermediateCertRequest"
)
_IMPORT = "vault:pkiSecret/secretBackendConfigCa:SecretBackendConfigCa"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_FIX = "use RSA with {bits} bits or more, or ECDSA with {curves} (mesh-trust:rootKeyAlgorithm)"


def strength(resource: Resource, settings: Settings) -> Iterator[str]:
    """Faults of a CA's key."""
    for weakness in _weaknesses(resource, settings):
        fix = _FIX.format(
            bits=f"{settings['minimumRsaBits']:.0f}", curves=", ".join(settings["curves"])
        )
        yield f"the key of {resource.name!r} is {weakness}; {fix}"


def lifetime(resource: Resource, settings: Settings) -> Iterator[str]:
    """Faults of a root's lifetime."""
    days = _days(resource)
    if days is None:
        return
    least, most = settings["minimumDays"], settings["maximumDays"]
    fix = f"choose {least:.0f} to {most:.0f} days (mesh-trust:rootLifetimeDays)"
    if days < least:
        yield f"the root {resource.name!r} lasts {days:.0f} days, too short; {fix}"
    elif days > most:
        yield f"the root {resource.name!r} lasts {days:.0f} days, too long; {fix}"


def _weaknesses(resource: Resource, settings: Settings) -> Iterator[str]:
    if resource.type == _KEY and resource.is_within(*CA_COMPONENTS):
        # What the provider takes where nothing is said.
        bits = 2048 if resource.at("rsaBits") is None else resource.number("rsaBits")
        curve = "P224" if resource.at("ecdsaCurve") is None else resource.text("ecdsaCurve")
        algorithm = resource.text("algorithm")
        yield from _weakness(algorithm, bits, curve, settings)
    elif resource.type in (_IN_VAULT, _REQUEST):
        kind = "rsa" if resource.at("keyType") is None else resource.text("keyType")
        asked = resource.number("keyBits")
        if not resource.is_unknown("keyBits"):
            algorithm = {"rsa": "RSA", "ec": "ECDSA"}.get(kind or "", kind)
            default = 2048 if algorithm == "RSA" else 256
            bits = asked or default
            yield from _weakness(algorithm, bits, f"P{bits:.0f}", settings)
    elif resource.type == _IMPORT:
        for certificate in _certificates(resource):
            key = certificate.public_key()
            if isinstance(key, rsa.RSAPublicKey):
                yield from _weakness("RSA", key.key_size, None, settings)
            elif isinstance(key, ec.EllipticCurvePublicKey):
                yield from _weakness("ECDSA", None, f"P{key.curve.key_size}", settings)
            else:
                yield from _weakness(type(key).__name__, None, None, settings)


def _weakness(
    algorithm: str | None, bits: float | None, curve: str | None, settings: Settings
) -> Iterator[str]:
    if algorithm is None:
        return
    if algorithm == "RSA":
        if bits is not None and bits < settings["minimumRsaBits"]:
            yield f"RSA with {bits:.0f} bits"
    elif algorithm == "ECDSA":
        if curve is not None and curve not in settings["curves"]:
            yield f"ECDSA with the curve {curve}"
    else:
        yield f"of the kind {algorithm}"


def _days(resource: Resource) -> float | None:
    if resource.type == _CERTIFICATE and resource.at("isCaCertificate") is True:
        hours = resource.number("validityPeriodHours")
        return None if hours is None else hours / 24
    if resource.type == _IN_VAULT:
        seconds = seconds_of(resource.text("ttl"))
        return None if seconds is None else seconds / 86400
    if resource.type == _IMPORT:
        left = [each.not_valid_after_utc - datetime.now(UTC) for each in _certificates(resource)]
        return min((each.total_seconds() / 86400 for each in left), default=None)
    return None


def _certificates(resource: Resource) -> list[x509.Certificate]:
    bundle = resource.text("pemBundle") or ""
    return [x509.load_pem_x509_certificate(each.encode()) for each in _PEM.findall(bundle)]


RULES = (
    Rule(
        "root-strength",
        "The keys of roots and signing CAs are strong.",
        strength,
        bounds=(
            Bound("minimumRsaBits", 3072, "The fewest bits of an RSA key.", 1024),
            Bound("curves", ["P256", "P384"], "Curves that an ECDSA key may have."),
        ),
    ),
    Rule(
        "root-lifetime",
        "Roots last long enough to be changed in peace, and not for ever.",
        lifetime,
        bounds=(
            Bound("minimumDays", 365, "The shortest that a root may last, or have left.", 1),
            Bound("maximumDays", 7305, "The longest that a root may last, in days.", 1),
        ),
    ),
)
