"""What istiod's certificates end in, by the chain that it presents itself.

istiod's own serving certificate is signed by the CA that signs those of workloads, and made anew
when that CA changes (Istio, pilot/pkg/bootstrap/certcontroller.go). So what it presents to whoever
connects tells which CA it holds now, which no object in the cluster does: its agent keeps key and
certificate in memory.
"""

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from kubernetes import client as kubernetes
from kubernetes.stream import portforward

from components.readiness import on_one_line

from .cluster_client import REQUEST_SECONDS, ClusterClient
from .tls_chain import certificates_shown
from .unreachable import UnreachableError

ISTIOD_PORT = 15012
"""Where istiod serves certificates and configuration, over TLS."""

_SERVER_NAME = "istiod.istio-system.svc"
# What gRPC insists on.
_PROTOCOLS = ["h2"]

_TRIES = 5
"""How many certificates istiod may present before it is given up on."""

# What the client of websockets says of an answer that is none to an upgrade.
_REFUSED = re.compile(r"Handshake status (\d{3}) ?([A-Za-z ]*)")

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
    way = _Way(client, namespace, pod)
    with way.explained():
        return chain_presented(f"{namespace}/{pod}", way.connect, roots)


def istiod_certificates(client: ClusterClient, namespace: str, pod: str) -> list[x509.Certificate]:
    """All that a pod of istiod presents, its own certificate first; at least that one.

    Raises:
        UnreachableError: it cannot be connected to, or presents nothing.
    """
    way = _Way(client, namespace, pod)
    with way.explained(), _handshaken(way.connect(), None) as secured:
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


class _Way:
    """That to a pod of istiod, through the API server."""

    def __init__(self, client: ClusterClient, namespace: str, pod: str) -> None:
        self._client = client
        self._namespace = namespace
        self._pod = pod
        self._forward: Any = None

    def connect(self) -> Any:
        """Makes a connection, a socket that is not secured yet.

        Raises:
            UnreachableError: the API server does not make one.
        """
        answer: Future[Any] = Future()

        def ask() -> None:
            # Not the client's own: a forward changes how its client asks, for as long as it takes.
            core: Any = kubernetes.CoreV1Api(kubernetes.ApiClient(self._client.configuration))
            asked = core.connect_get_namespaced_pod_portforward
            try:
                answer.set_result(
                    portforward(asked, self._pod, self._namespace, ports=str(ISTIOD_PORT))
                )
            except kubernetes.ApiException as error:
                answer.set_exception(error)

        # The client of websockets waits for ever, and takes no limit from Kubernetes'.
        Thread(target=ask, daemon=True).start()
        try:
            self._forward = answer.result(REQUEST_SECONDS)
        except TimeoutError:
            raise self._refused(f"no answer in {REQUEST_SECONDS} s") from None
        except kubernetes.ApiException as error:
            raise self._refused(str(error.reason)) from None
        return self._forward.socket(ISTIOD_PORT)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Looks at what comes of its connections.

        Raises:
            UnreachableError: nothing.
        """
        try:
            yield
        except (OSError, ValueError) as error:
            # Of a port that nobody serves, the node tells beside the connection, which just ends.
            told = None if self._forward is None else self._forward.error(ISTIOD_PORT)
            context, place = self._client.context, f"-n {self._namespace} {self._pod}"
            raise UnreachableError(
                f"pod {self._namespace}/{self._pod} presents no certificate at port {ISTIOD_PORT} "
                f"({on_one_line(told or str(error), 150)})",
                "see that istiod runs and has a CA: "
                f"`kubectl --context {context} logs {place} -c discovery`",
            ) from None

    def _refused(self, reason: str) -> UnreachableError:
        """What the client says of everything, from a refusal to a server that is not there."""
        found, kubectl = _REFUSED.search(reason), f"kubectl --context {self._client.context}"
        said = on_one_line(reason if found is None else f"{found[1]} {found[2]}", 150)
        if found is None:
            fix = f"see that the API server runs: `{kubectl} get --raw /readyz`"
        elif found[1] == "403":
            fix = "give the user of the kubeconfig the right to create pods/portforward there"
        elif found[1] == "401":
            fix = "log in anew, or mend the credentials in the kubeconfig"
        else:
            fix = (
                "see that the pod and its node run: "
                f"`{kubectl} get pod -n {self._namespace} {self._pod} -o wide`"
            )
        return UnreachableError(
            f"no connection to pod {self._namespace}/{self._pod} is to be had through the API "
            f"server ({said})",
            fix,
        )
