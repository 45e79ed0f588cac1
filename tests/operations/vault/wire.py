"""Stands between the command and Vault's servers, and cuts in where a test wants it.

The command is killed at a request, before Vault gets it or after Vault has done it, with nothing in
the command that knows of it.
"""

import http.client
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.background import in_background

from .servers import VaultServer

_WRITES = ("PUT", "POST", "DELETE")


@dataclass(frozen=True, order=True)
class Step:
    """A write as it comes in one run."""

    server: int
    path: str
    occurrence: int
    """How many of the same came before it in the run."""


Cut = Callable[[Step], bool]
"""Told of a write; whether the answer is to be withheld, and the connection closed."""


@dataclass
class Wire:
    """What has gone to the servers, and who is told of it."""

    servers: Sequence[VaultServer]
    addresses: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    before: Cut = lambda _: False
    """Called before a write goes to Vault."""
    after: Cut = lambda _: False
    """Called once Vault has answered."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def new_run(self) -> None:
        """Forgets all."""
        self.steps = []
        self.before = self.after = lambda _: False

    def note(self, server: int, path: str) -> Step:
        with self.lock:
            seen = Counter((each.server, each.path) for each in self.steps)
            step = Step(server, path, seen[server, path])
            self.steps.append(step)
            return step


@contextmanager
def wired(servers: Sequence[VaultServer]) -> Iterator[Wire]:
    """Listeners of the servers' own certificate, one for each."""
    wire = Wire(servers)
    with ExitStack() as stack:
        for number, server in enumerate(servers):
            listener = stack.enter_context(in_background(_Listener(wire, number, server), 0.05))
            wire.addresses.append(f"https://127.0.0.1:{listener.server_port}")
        yield wire


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, wire: Wire, number: int, server: VaultServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wire, self.number = wire, number
        self.target = urlsplit(server.address)
        self.trust = ssl.create_default_context(cafile=str(server.ca_file))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        folder = server.ca_file.parent
        self.context.load_cert_chain(folder / "server.crt", folder / "server.key")

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the thread of the request, where a slow handshake holds nobody up.
        try:
            with self.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:
            # Whoever is killed closes nothing properly.
            pass

    def handle_error(self, *_: object) -> None:
        """What is not a broken connection makes the command fail, which the test sees."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            self._pass_on()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _pass_on(self) -> None:
        wire, is_write = self.server.wire, self.command in _WRITES
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        step = wire.note(self.server.number, self.path) if is_write else None
        if step is not None and wire.before(step):
            return
        target = self.server.target
        connection = http.client.HTTPSConnection(
            str(target.hostname), target.port, context=self.server.trust, timeout=120
        )
        try:
            headers = {key: value for key, value in self.headers.items() if key != "Host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if step is not None and wire.after(step):
            return
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
