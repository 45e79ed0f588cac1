"""Public keys of a cluster's token issuer, in the forms they come in."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from mesh_trust import InvalidInputError, issuer_keys
from mesh_trust.token_keys import require_public_keys
from tests.token_issuer import TokenIssuer, encoded


def pem_of(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def elliptic_key(key: ec.EllipticCurvePrivateKey, name: str, size: int) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": name,
        "x": encoded(numbers.x.to_bytes(size, "big")),
        "y": encoded(numbers.y.to_bytes(size, "big")),
    }


def test_a_key_set_as_the_api_server_serves_it(tmp_path: Path) -> None:
    one, other = TokenIssuer(), TokenIssuer()
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [*one.jwks()["keys"], *other.jwks()["keys"]]}))

    assert issuer_keys(path) == sorted([one.public_key_pem, other.public_key_pem])


@pytest.mark.parametrize(
    ("curve", "name", "size"),
    [(ec.SECP256R1(), "P-256", 32), (ec.SECP384R1(), "P-384", 48), (ec.SECP521R1(), "P-521", 66)],
)
def test_a_key_set_of_elliptic_curves(
    tmp_path: Path, curve: ec.EllipticCurve, name: str, size: int
) -> None:
    key = ec.generate_private_key(curve)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [elliptic_key(key, name, size)]}))

    assert issuer_keys(path) == [pem_of(key).strip()]


def test_pem_blocks_with_anything_around_them(tmp_path: Path) -> None:
    one, other = TokenIssuer().public_key_pem, TokenIssuer().public_key_pem
    path = tmp_path / "keys.pem"
    path.write_text(f"# sa.pub of east\n{one}\n\n# and the next\n{other}\n")

    assert issuer_keys(path) == sorted([one, other])


def test_order_and_repetition_do_not_matter() -> None:
    one, other = TokenIssuer().public_key_pem, TokenIssuer().public_key_pem

    assert require_public_keys("keys", [one, other, f"{one}\n"]) == require_public_keys(
        "keys", [other, one]
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no key",
        "{",
        "{}",
        '{"keys": []}',
        '{"keys": [{}]}',
        '{"keys": ["text"]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}',
        '{"keys": [{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}]}',
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ],
)
def test_what_holds_no_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content)

    with pytest.raises(InvalidInputError, match=r"^issuerKeysFile: .*/openid/v1/jwks"):
        issuer_keys(path, "issuerKeysFile")


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"^keys: .* name a readable file"):
        issuer_keys(tmp_path / "nowhere", "keys")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match=r"^keys: .*/openid/v1/jwks"):
        issuer_keys(tmp_path / "binary", "keys")


def test_a_private_key_is_refused_and_not_shown() -> None:
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    with pytest.raises(InvalidInputError, match="leave the private key where it is") as refusal:
        require_public_keys("keys", [private])

    assert private.splitlines()[1] not in str(refusal.value)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["RSA of 1024 bits", "another curve", "EdDSA"],
)
def test_a_key_that_is_too_weak_or_of_another_kind_is_refused(key: Any) -> None:
    with pytest.raises(InvalidInputError, match="use RSA keys of 2048 bits or more"):
        require_public_keys("keys", [pem_of(key)])
