"""The public keys with which a cluster's service account tokens are checked."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from .files import content_of
from .validation import InvalidInputError

MINIMUM_RSA_BITS = 2048
# Those of RFC 7518, 6.2.1.1, that Kubernetes signs with.
_CURVES: Mapping[str, EllipticCurve] = {
    "P-256": SECP256R1(),
    "P-384": SECP384R1(),
    "P-521": SECP521R1(),
}
_END = "-----END PUBLIC KEY-----"
_FIX = "give it public keys: PEM, or the JSON of `kubectl --context … get --raw /openid/v1/jwks`"
PublicKey = RSAPublicKey | EllipticCurvePublicKey


def issuer_keys(path: Path, field: str = "issuer_keys") -> list[str]:
    """The public keys in the file `path`, each as PEM, in an order that is always the same.

    The file holds PEM blocks, or a JSON Web Key Set (RFC 7517) as every API server serves its own
    at `/openid/v1/jwks`. Errors name `field`.

    Raises:
        InvalidInputError: it cannot be read, holds no public key, or one that is too weak.
    """
    try:
        content = content_of(field, path).decode()
    except UnicodeDecodeError:
        raise InvalidInputError(field, str(path), _FIX) from None
    keys = _of_key_set(content) if content.lstrip().startswith("{") else _of_pem(content)
    if not keys:
        raise InvalidInputError(field, str(path), _FIX)
    return require_public_keys(field, keys)


def require_public_keys(field: str, keys: Sequence[str]) -> list[str]:
    """Returns `keys`, one or more public keys in PEM, in the form and order to give to Vault.

    Vault gives keys back without a line break at their end, and in the order they came in.

    Raises:
        InvalidInputError: there is none, or one is not a public key for signatures that Vault
            accepts, or too weak; the message shows nothing of it.
    """
    if isinstance(keys, str) or not keys:
        raise InvalidInputError(field, "…" if keys else keys, "list at least one public key")
    return sorted({_pem(_public_key(field, key)) for key in keys})


def _public_key(field: str, pem: str) -> PublicKey:
    if "PRIVATE KEY" in pem:
        raise InvalidInputError(
            field, "…", "leave the private key where it is: give the public one"
        )
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInputError(field, "…", _FIX) from None
    if isinstance(key, EllipticCurvePublicKey):
        if key.curve.name in (curve.name for curve in _CURVES.values()):
            return key
    elif isinstance(key, RSAPublicKey) and key.key_size >= MINIMUM_RSA_BITS:
        return key
    raise InvalidInputError(
        field, "…", f"use RSA keys of {MINIMUM_RSA_BITS} bits or more, or {', '.join(_CURVES)}"
    )


def _pem(key: PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().strip()


def _of_pem(content: str) -> list[str]:
    # What stands before, after or between the blocks is nothing to the reader of a PEM either.
    return [f"{block}{_END}" for block in content.split(_END)[:-1]]


def _of_key_set(content: str) -> list[str]:
    try:
        return [_pem(_of_key(key)) for key in json.loads(content)["keys"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _of_key(key: Mapping[str, Any]) -> PublicKey:
    """The key in a JSON Web Key (RFC 7518, 6.2 and 6.3)."""
    if key["kty"] == "RSA":
        return RSAPublicNumbers(e=_number(key["e"]), n=_number(key["n"])).public_key()
    numbers = EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), _CURVES[key["crv"]])
    return numbers.public_key()


def _number(encoded: str) -> int:
    padding = "=" * (-len(encoded) % 4)
    return int.from_bytes(base64.urlsafe_b64decode(encoded + padding), "big")
