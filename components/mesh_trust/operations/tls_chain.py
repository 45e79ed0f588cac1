"""The certificates that a TLS server shows, whatever they are worth."""

import _ssl
import socket
import ssl
from typing import Any

from cryptography import x509


def shown_chain(connection: socket.socket, server_name: str) -> list[x509.Certificate]:
    """What a server shows at `connection`: its own certificate first, then those above it.

    Raises:
        OSError: no TLS connection comes about.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(connection, server_hostname=server_name) as tls:
        return certificates_shown(tls)


def certificates_shown(tls: ssl.SSLSocket) -> list[x509.Certificate]:
    """What was shown in the handshake of `tls`, the server's own certificate first."""
    return [x509.load_der_x509_certificate(each) for each in _shown(tls)]


def _shown(tls: Any) -> list[bytes]:
    # Public from Python 3.13 on; before, only what it is made of has it.
    if hasattr(tls, "get_unverified_chain"):
        return list(tls.get_unverified_chain())
    encoding: Any = _ssl
    shown = tls._sslobj.get_unverified_chain() or ()
    return [each.public_bytes(encoding.ENCODING_DER) for each in shown]
