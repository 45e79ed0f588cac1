"""What istiod's certificates end in, by the chain that it presents itself.

istiod's own serving certificate is signed by the CA that signs those of workloads, and made anew
when that CA changes (Istio, pilot/pkg/bootstrap/certcontroller.go). So what it presents to whoever
connects tells which CA it holds now, which no object in the cluster does: its agent keeps key and
certificate in memory.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import websocket
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from kubernetes import client as kubernetes
from kubernetes.stream import portforward

from components.readiness import on_one_line

from .cluster_client import REQUEST_SECONDS, ClusterClient
from .unreachable import UnreachableError

ISTIOD_PORT = 15012
"""Where istiod serves certificates and configuration, over TLS."""

_SERVER_NAME = "istiod.istio-system.svc"
# What gRPC insists on.
_PROTOCOLS = ["h2"]

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
    place = f"{namespace}/{pod}"
    try:
        return chain_presented(place, lambda: _socket(client, namespace, pod), roots)
    except (OSError, ValueError) as error:
        raise UnreachableError(
            f"pod {place} presents no certificate at port {ISTIOD_PORT} "
            f"({on_one_line(str(error), 150)})",
            "see that istiod runs and has a CA: "
            f"`kubectl --context {client.context} logs -n {namespace} {pod} -c discovery`",
        ) from None


Connect = Callable[[], Any]
"""Makes a connection, a socket that is not secured yet."""


def chain_presented(pod: str, connect: Connect, roots: Sequence[x509.Certificate]) -> IstiodChain:
    """What is presented at connections that `connect` makes, each for one handshake.

    Raises:
        OSError: nothing is.
        ValueError: it is no certificate with an authority key identifier.
    """
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
        # istiod changes its certificate between two connections.
        return chain_presented(pod, connect, roots)
    return IstiodChain(
        pod,
        _authority(leaf),
        root,
        None if root is not None else fault,
        leaf.not_valid_before_utc + _SKEW,
    )


def _presented(connection: Any, root: x509.Certificate | None) -> bytes:
    """The certificate presented, DER, that verifies to `root` where one is given."""
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
            presented = secured.getpeercert(binary_form=True)
        finally:
            _end(secured)
    if presented is None:
        raise ValueError("it presents none")
    return presented


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


def _socket(client: ClusterClient, namespace: str, pod: str) -> Any:
    # Not the client's own: a forward changes how its client asks, for as long as it takes.
    core: Any = kubernetes.CoreV1Api(kubernetes.ApiClient(client.configuration))
    # Without it a connection waits for ever.
    websocket.setdefaulttimeout(REQUEST_SECONDS)
    try:
        forward: Any = portforward(
            core.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(ISTIOD_PORT)
        )
    except kubernetes.ApiException as error:
        said = on_one_line(str(error.reason), 200)
        raise UnreachableError(
            f"no connection to pod {namespace}/{pod} is to be had through the API server ({said})",
            "give the user of the kubeconfig the right to create pods/portforward there",
        ) from None
    return forward.socket(ISTIOD_PORT)
