"""An issuer of signed tokens: its keys in every form they are passed on, and tokens of its own."""

import base64
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from tests.background import in_background


def encoded(content: bytes) -> str:
    """Base64 as JSON Web Tokens have it: for URLs, without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class TokenIssuer:
    """Signs with one RSA key; a new one when none is given."""

    def __init__(self, private_key_pem: bytes | None = None) -> None:
        if private_key_pem is None:
            self._key = rsa.generate_private_key(65537, 2048)
        else:
            key = load_pem_private_key(private_key_pem, None)
            assert isinstance(key, rsa.RSAPrivateKey)
            self._key = key

    @property
    def public_key_pem(self) -> str:
        """The key that the tokens are checked with: PEM, without a line break at its end."""
        key = self._key.public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().strip()

    def jwks(self) -> dict[str, Any]:
        """The key as a JSON Web Key Set (RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": "one",
            "n": encoded(numbers.n.to_bytes(256, "big")),
            "e": encoded(numbers.e.to_bytes(3, "big")),
        }
        return {"keys": [key]}

    def token(self, claims: Mapping[str, Any], *, key_id: str = "one") -> str:
        """A token with exactly these claims."""
        header = {"alg": "RS256", "kid": key_id}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, dict(claims)))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
        return f"{signed}.{encoded(signature)}"


@contextmanager
def serving(
    documents: Mapping[str, Any], certificate: Path | None = None, private_key: Path | None = None
) -> Iterator[str]:
    """Serves JSON documents by their path, over TLS with a certificate; gives its address.

    `{address}` in a text of a document stands for that address.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = documents.get(self.path)
            body = json.dumps(document).replace("{address}", address).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, private_key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    address = f"{scheme}://127.0.0.1:{server.server_port}"
    with in_background(server):
        yield address
