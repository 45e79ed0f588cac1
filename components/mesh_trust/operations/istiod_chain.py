"""What istiod's certificates end in, by the chain that it presents itself.

istiod's own serving certificate is signed by the CA that signs those of workloads, and made anew
when that CA changes (Istio, pilot/pkg/bootstrap/certcontroller.go). So what it presents to whoever
connects tells which CA it holds now, which no object in the cluster does: its agent keeps key and
certificate in memory.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mesh_trust.readiness import on_one_line

from .cluster_client import REQUEST_SECONDS, ClusterClient
from .port_forward import PodPort
from .tls_chain import certificates_shown
from .unreachable import UnreachableError

ISTIOD_PORT = 15012
"""Where istiod serves certificates and configuration, over TLS."""

_SERVER_NAME = "istiod.istio-system.svc"
# What gRPC insists on.
_PROTOCOLS = ["h2"]

_TRIES = 5
"""How many certificates istiod may present before it is given up on."""

_SKEW = timedelta(minutes=2)
"""By how much a certificate of istiod's is valid before it is made (Istio,
security/pkg/pki/util/generate_cert.go, ClockSkewGracePeriod)."""


@dataclass(frozen=True)
class IstiodChain:
    """What one pod of istiod presents."""

    pod: str
    """`namespace/name`."""
    key_id: str
    """Key of the CA that signed it, istiod's intermediate: the authority key identifier, pairs of
    hexadecimal digits between colons."""
    root: x509.Certificate | None
    """What it verifies to of the roots that were asked about; None: to none of them."""
    fault: str | None
    """Why to none."""
    since: datetime
    """From when on at the latest istiod holds this CA, UTC."""


def istiod_chain(
    client: ClusterClient, namespace: str, pod: str, roots: Sequence[x509.Certificate]
) -> IstiodChain:
    """Connects to a pod of istiod through the API server, and sees what it presents.

    Raises:
        UnreachableError: it cannot be connected to, or presents nothing.
    """
    port = PodPort(client, namespace, pod, ISTIOD_PORT)
    with _explained(port):
        return chain_presented(f"{namespace}/{pod}", port.connect, roots)


def istiod_certificates(client: ClusterClient, namespace: str, pod: str) -> list[x509.Certificate]:
    """All that a pod of istiod presents, its own certificate first; at least that one.

    Raises:
        UnreachableError: it cannot be connected to, or presents nothing.
    """
    port = PodPort(client, namespace, pod, ISTIOD_PORT)
    with _explained(port), _handshaken(port.connect(), None) as secured:
        presented = certificates_shown(secured)
        if not presented:
            raise ValueError("it presents none")
        return presented


Connect = Callable[[], Any]
"""Makes a connection, a socket that is not secured yet."""


def chain_presented(pod: str, connect: Connect, roots: Sequence[x509.Certificate]) -> IstiodChain:
    """What is presented at connections that `connect` makes, each for one handshake.

    Raises:
        OSError: nothing is.
        ValueError: it is no certificate with an authority key identifier.
    """
    for _ in range(_TRIES):
        found = _unchanged_chain(pod, connect, roots)
        if found is not None:
            return found
    raise ValueError(f"it has presented {_TRIES} certificates, one after the other")


def _unchanged_chain(
    pod: str, connect: Connect, roots: Sequence[x509.Certificate]
) -> IstiodChain | None:
    """The same; None where istiod changes its certificate between two connections."""
    leaf = x509.load_der_x509_certificate(_presented(connect(), None))
    root, fault = None, "no root was asked about"
    for each in roots:
        try:
            seen = _presented(connect(), each)
        except ssl.SSLCertVerificationError as error:
            fault = error.verify_message
            continue
        if seen == leaf.public_bytes(Encoding.DER):
            root = each
            break
        return None
    return IstiodChain(
        pod,
        _authority(leaf),
        root,
        None if root is not None else fault,
        leaf.not_valid_before_utc + _SKEW,
    )


def _presented(connection: Any, root: x509.Certificate | None) -> bytes:
    """The certificate presented, DER, that verifies to `root` where one is given."""
    with _handshaken(connection, root) as secured:
        presented = secured.getpeercert(binary_form=True)
    if presented is None:
        raise ValueError("it presents none")
    return presented


@contextmanager
def _handshaken(connection: Any, root: x509.Certificate | None) -> Iterator[ssl.SSLSocket]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Who istiod is, the API server vouches for: it is asked for the pod by name.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE if root is None else ssl.CERT_REQUIRED
    context.set_alpn_protocols(_PROTOCOLS)
    if root is not None:
        context.load_verify_locations(cadata=root.public_bytes(Encoding.PEM).decode())
    connection.settimeout(REQUEST_SECONDS)
    with context.wrap_socket(
        connection, server_hostname=_SERVER_NAME, do_handshake_on_connect=False
    ) as secured:
        try:
            secured.do_handshake()
            yield secured
        finally:
            _end(secured)


def _end(secured: ssl.SSLSocket) -> None:
    """Reads to the end: what is left unread at a close, a forward takes for an error of its own."""
    with suppress(OSError):
        secured.shutdown(socket.SHUT_WR)
        while secured.recv(65536):
            pass


def _authority(leaf: x509.Certificate) -> str:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        raise ValueError("its certificate does not say which key signed it") from None
    identifier = extension.value.key_identifier
    if identifier is None:
        raise ValueError("its certificate does not say which key signed it")
    return identifier.hex(":")


@contextmanager
def _explained(port: PodPort) -> Iterator[None]:
    """Looks at what comes of connections to `port`.

    Raises:
        UnreachableError: nothing.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        raise UnreachableError(
            f"pod {port.namespace}/{port.pod} presents no certificate at port {port.port} "
            f"({on_one_line(port.told or str(error), 150)})",
            f"see that istiod runs and has a CA: `{port.logs('discovery')}`",
        ) from None
