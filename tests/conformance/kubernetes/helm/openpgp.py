"""Signing keys in the form of OpenPGP (RFC 4880), which helm signs and verifies charts with."""

import hashlib
import struct
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_PUBLIC_KEY, _SECRET_KEY, _USER_ID, _SIGNATURE = 6, 5, 13, 2
_RSA = 1
_SHA256 = 8
_POSITIVE_CERTIFICATION = 0x13
_CREATED, _ISSUER, _KEY_FLAGS = 2, 16, 27
_CERTIFIES_AND_SIGNS = b"\x03"


def new_keyrings(user: str) -> tuple[bytes, bytes]:
    """Return a new key's secret keyring, not encrypted, and its public one."""
    key = rsa.generate_private_key(65537, 2048)
    private, public = key.private_numbers(), key.public_key().public_numbers()
    created = struct.pack(">I", int(time.time()))
    public_body = b"\x04" + created + bytes([_RSA]) + _number(public.n) + _number(public.e)
    # OpenPGP wants the inverse of the first prime modulo the second.
    parts = (private.d, private.q, private.p, private.iqmp)
    secret = b"".join(_number(part) for part in parts)
    secret_body = public_body + b"\x00" + secret + struct.pack(">H", sum(secret) & 0xFFFF)
    identity = _packet(_USER_ID, user.encode()) + _certification(key, public_body, user, created)
    return (
        _packet(_SECRET_KEY, secret_body) + identity,
        _packet(_PUBLIC_KEY, public_body) + identity,
    )


def _certification(key: rsa.RSAPrivateKey, public_body: bytes, user: str, created: bytes) -> bytes:
    hashed = _subpacket(_CREATED, created) + _subpacket(_KEY_FLAGS, _CERTIFIES_AND_SIGNS)
    keyed = b"\x99" + struct.pack(">H", len(public_body)) + public_body
    issuer = _subpacket(_ISSUER, hashlib.sha1(keyed, usedforsecurity=False).digest()[-8:])
    head = bytes([4, _POSITIVE_CERTIFICATION, _RSA, _SHA256]) + _counted(hashed)
    named = b"\xb4" + struct.pack(">I", len(user.encode())) + user.encode()
    signed = keyed + named + head + b"\x04\xff" + struct.pack(">I", len(head))
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    start = hashlib.sha256(signed).digest()[:2]
    number = _number(int.from_bytes(signature, "big"))
    return _packet(_SIGNATURE, head + _counted(issuer) + start + number)


def _packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + struct.pack(">I", len(body)) + body


def _subpacket(kind: int, body: bytes) -> bytes:
    return bytes([len(body) + 1, kind]) + body


def _counted(subpackets: bytes) -> bytes:
    return struct.pack(">H", len(subpackets)) + subpackets


def _number(value: int) -> bytes:
    bits = value.bit_length()
    return struct.pack(">H", bits) + value.to_bytes((bits + 7) // 8, "big")
