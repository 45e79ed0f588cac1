"""Workloads of the mesh: certificates from their cluster's istiod, and mutual TLS between them."""

import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from kubernetes import client

from lab.lab import Lab
from tests.program.handshake import service_account_token
from tests.program.program import Program

from .certificate_service import CertificateService, await_istiod, certificate_service
from .pods import core, until

TRUST_DOMAIN = "cluster.local"
ROOT_MAP = "istio-ca-root-cert"
AUDIENCE = "istio-ca"
LIFETIME_SECONDS = 3600

_TIMEOUT_SECONDS = 10.0
_RENEWAL_SECONDS = 5.0
_TRUST_SECONDS = 1.0
_PAUSE_SECONDS = 0.05


class NotTrustedError(Exception):
    """One side of a handshake does not trust the other, or takes it for somebody else."""


@dataclass(frozen=True)
class Certificate:
    """What istiod gives: from the workload's own certificate up to the roots."""

    private_key_pem: bytes
    chain: tuple[x509.Certificate, ...]
    """What a peer is shown."""
    roots: tuple[x509.Certificate, ...]

    @property
    def identity(self) -> str:
        """The SPIFFE URI that it is for."""
        names = self.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
        [identity] = names.value.get_values_for_type(x509.UniformResourceIdentifier)
        return identity


@dataclass
class Workload:
    """A workload of one cluster: a service account, what it has from istiod, and whom it trusts.

    It trusts what `istio-ca-root-cert` of its namespace says, as a proxy does.
    """

    lab: Lab
    cluster: str
    service: CertificateService
    account: str = "default"
    namespace: str = "default"
    trusted: tuple[x509.Certificate, ...] = ()
    certificate: Certificate | None = None

    def read_trust(self) -> tuple[x509.Certificate, ...]:
        """Reads anew whom to trust; nobody, while istiod has not said."""
        try:
            found = core(self.lab, self.cluster).read_namespaced_config_map(
                ROOT_MAP, self.namespace
            )
            text = found.data["root-cert.pem"]
            self.trusted = tuple(x509.load_pem_x509_certificates(text.encode()))
        except client.exceptions.ApiException as error:
            if error.status != 404:
                raise
            self.trusted = ()
        return self.trusted

    def renew(self) -> Certificate:
        """Asks istiod for a certificate.

        Raises:
            grpc.RpcError: istiod is not there, is not trusted, or refuses.
        """
        token = service_account_token(
            self.lab, self.cluster, self.account, self.namespace, [AUDIENCE]
        )
        key = ec.generate_private_key(ec.SECP256R1())
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        csr = request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
        answer = self.service.create(csr, token, in_pem(self.trusted), LIFETIME_SECONDS)
        all_of_it = x509.load_pem_x509_certificates("\n".join(answer).encode())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.certificate = Certificate(
            private,
            tuple(each for each in all_of_it if each.issuer != each.subject),
            tuple(each for each in all_of_it if each.issuer == each.subject),
        )
        return self.certificate

    def context(self, purpose: ssl.Purpose) -> ssl.SSLContext:
        """What this side of a handshake is made of, as of now."""
        # Others renew both meanwhile.
        certificate, trusted = self.certificate, self.trusted
        assert certificate is not None, f"the workload of {self.cluster} has no certificate"
        is_server = purpose is ssl.Purpose.CLIENT_AUTH
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
        # Names are of SPIFFE: `handshake` looks at them.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        if trusted:
            context.load_verify_locations(cadata=in_pem(trusted).decode())
        # It takes files only.
        with tempfile.TemporaryDirectory() as folder:
            key, chain = Path(folder, "key.pem"), Path(folder, "chain.pem")
            key.write_bytes(certificate.private_key_pem)
            chain.write_bytes(in_pem(certificate.chain))
            context.load_cert_chain(chain, key)
        return context


def program_in_effect(lab: Lab, folder: Path, clusters: Sequence[str]) -> Program:
    """The program after an update, when the istiods of `clusters` are well with what it set up."""
    program = Program(lab, folder)
    program.up()
    for cluster in clusters:
        await_istiod(lab, cluster)
    return program


@contextmanager
def workloads_of(lab: Lab, clusters: Sequence[str]) -> Iterator[dict[str, Workload]]:
    """One workload of each of `clusters`, by the cluster's name, without a certificate yet."""
    with ExitStack() as stack:
        yield {
            cluster: Workload(lab, cluster, stack.enter_context(certificate_service(lab, cluster)))
            for cluster in clusters
        }


def established(workload: Workload) -> Any:
    """The workload with a certificate, once its cluster's root and istiod go together."""

    def attempt() -> Any:
        try:
            return workload.read_trust() and workload.renew()
        except grpc.RpcError:
            return None

    return until(attempt, f"a certificate in {workload.cluster}")


def in_pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def handshake(from_workload: Workload, to_workload: Workload) -> tuple[str, str]:
    """Mutual TLS over loopback; gives the identities that the server and the client have seen.

    Raises:
        NotTrustedError: one side refuses the other.
    """
    ours = from_workload.context(ssl.Purpose.SERVER_AUTH)
    theirs = to_workload.context(ssl.Purpose.CLIENT_AUTH)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(_TIMEOUT_SECONDS)
        served = pool.submit(_serve, listener, theirs)
        refusals: list[Exception] = []
        seen_by_client = seen_by_server = ""
        try:
            with (
                socket.create_connection(listener.getsockname(), _TIMEOUT_SECONDS) as plain,
                ours.wrap_socket(plain) as connection,
            ):
                seen_by_client = _peer(connection)
                connection.sendall(b"ping")
                # Of TLS 1.3 the client learns here that its own certificate was refused.
                if connection.recv(4) != b"pong":
                    raise NotTrustedError("the server says nothing")
        except (OSError, NotTrustedError) as error:
            refusals.append(error)
        try:
            seen_by_server = served.result()
        except (OSError, NotTrustedError) as error:
            refusals.append(error)
    if refusals:
        raise NotTrustedError(f"{from_workload.cluster} → {to_workload.cluster}: {refusals}")
    return seen_by_server, seen_by_client


def _serve(listener: socket.socket, context: ssl.SSLContext) -> str:
    plain, _ = listener.accept()
    with plain:
        plain.settimeout(_TIMEOUT_SECONDS)
        with context.wrap_socket(plain, server_side=True) as connection:
            peer = _peer(connection)
            if connection.recv(4) != b"ping":
                raise NotTrustedError("the client says nothing")
            connection.sendall(b"pong")
            return peer


def _peer(connection: ssl.SSLSocket) -> str:
    names: Any = (connection.getpeercert() or {}).get("subjectAltName", ())
    identities = [value for kind, value in names if kind == "URI"]
    if len(identities) != 1 or not identities[0].startswith(f"spiffe://{TRUST_DOMAIN}/"):
        raise NotTrustedError(f"a peer of {identities} is not of {TRUST_DOMAIN}")
    return str(identities[0])


@dataclass
class Traffic:
    """What came of continuous handshakes so far."""

    made: int = 0
    failures: list[str] = field(default_factory=list)
    renewals: int = 0
    renewals_failed: list[str] = field(default_factory=list)
    """istiod was not there, or not trusted: the workload goes on with what it has."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, failure: str | None) -> None:
        """Takes down what came of one handshake."""
        with self._lock:
            if failure is None:
                self.made += 1
            else:
                self.failures.append(failure)


@contextmanager
def continuous_mutual_tls(*workloads: Workload) -> Iterator[Traffic]:
    """Has every two of the workloads make handshakes all the time, both ways, until the end.

    Meanwhile each has its certificate renewed every 5 s, and reads every second whom to trust.
    """
    traffic, stop = Traffic(), threading.Event()
    for workload in workloads:
        workload.read_trust()
        workload.renew()
    jobs: list[Callable[[], None]] = [
        partial(_connect, one, other, traffic)
        for one in workloads
        for other in workloads
        if one is not other
    ]
    keepers = [_Keeper(workload, traffic) for workload in workloads]
    loops = [(job, _PAUSE_SECONDS) for job in jobs]
    loops += [(keeper.keep, _TRUST_SECONDS) for keeper in keepers]
    with ThreadPoolExecutor(len(loops)) as pool:
        running = [pool.submit(_repeat, job, pause, stop) for job, pause in loops]
        try:
            yield traffic
        finally:
            stop.set()
    for each in running:
        # What went wrong in it otherwise would not be heard of.
        each.result()


class _Keeper:
    """Keeps a workload's trust and certificate new."""

    def __init__(self, workload: Workload, traffic: Traffic) -> None:
        self._workload, self._traffic = workload, traffic
        self._renewed = time.monotonic()

    def keep(self) -> None:
        self._workload.read_trust()
        if time.monotonic() - self._renewed < _RENEWAL_SECONDS:
            return
        self._renewed = time.monotonic()
        try:
            self._workload.renew()
            self._traffic.renewals += 1
        except grpc.RpcError as error:
            self._traffic.renewals_failed.append(f"{self._workload.cluster}: {error}")


def _connect(one: Workload, other: Workload, traffic: Traffic) -> None:
    try:
        handshake(one, other)
    except NotTrustedError as error:
        traffic.count(str(error))
    else:
        traffic.count(None)


def _repeat(job: Callable[[], None], pause: float, stop: threading.Event) -> None:
    while not stop.wait(pause):
        job()
