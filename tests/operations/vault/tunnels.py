"""An API server as far as forwards go: a StatefulSet of Vault, and ways to its pods.

The pods are processes on loopback, each with the certificate that a pod has. Real ones, which join
each other by their names, are in tests/nodes/test_vault.py.
"""

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.background import in_background

_PORT = 8200
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_BINARY, _CLOSE = 2, 8


@dataclass
class Cluster:
    """What it shows and where its ways lead."""

    kubeconfig: Path
    pods: Mapping[str, int]
    """Port of loopback of each pod; a pod that is not there has none."""
    replicas: int
    port_name: str = "https"
    forwards: list[str] = field(default_factory=list)
    """Names of the pods that were connected to, in the order of connections."""

    def stateful_sets(self) -> dict[str, Any]:
        container = {
            "name": "vault",
            "image": "vault",
            "ports": [{"name": self.port_name, "containerPort": _PORT}],
        }
        spec = {
            "replicas": self.replicas,
            "serviceName": "vault-internal",
            "selector": {"matchLabels": {}},
            "template": {"spec": {"containers": [container]}},
        }
        item = {"metadata": {"name": "vault", "namespace": "vault"}, "spec": spec}
        return {"apiVersion": "apps/v1", "kind": "StatefulSetList", "items": [item]}


@contextmanager
def cluster_with(folder: Path, pods: Mapping[str, int], replicas: int) -> Iterator[Cluster]:
    """One whose context is `mgmt` in a kubeconfig in `folder`."""
    cluster = Cluster(folder / "kubeconfig", pods, replicas)
    with in_background(_Server(cluster), 0.05) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        document = {
            "clusters": [{"name": "mgmt", "cluster": {"server": url}}],
            "users": [{"name": "mgmt", "user": {"token": "t"}}],
            "contexts": [{"name": "mgmt", "context": {"cluster": "mgmt", "user": "mgmt"}}],
        }
        cluster.kubeconfig.write_text(json.dumps(document))
        yield cluster


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cluster = cluster


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        cluster, url = self.server.cluster, urlsplit(self.path)
        parts = url.path.split("/")
        if parts[-1] == "statefulsets":
            self._answer(cluster.stateful_sets(), _is_of_release(url.query))
            return
        pod = parts[-2]
        if parts[-1] != "portforward" or pod not in cluster.pods:
            self.send_error(404)
            return
        cluster.forwards.append(pod)
        self.close_connection = True
        self._upgrade()
        tunnel = _Tunnel(self.connection, self.rfile)
        try:
            way = socket.create_connection(("127.0.0.1", cluster.pods[pod]))
        except OSError as error:
            tunnel.refuse(f"error forwarding port {_PORT} to pod: {error.strerror}")
            return
        with way:
            tunnel.run(way)

    def _answer(self, document: dict[str, Any], is_there: bool) -> None:
        content = json.dumps(document if is_there else {**document, "items": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _upgrade(self) -> None:
        digest = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + _GUID).encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
        self.end_headers()
        self.wfile.flush()


def _is_of_release(query: str) -> bool:
    [selector] = parse_qs(query)["labelSelector"]
    return "app.kubernetes.io/instance=vault," in selector


class _Tunnel:
    """Between the frames of a websocket and a connection.

    Its first channel is data, the second what went wrong; each begins with the number of the port.
    """

    def __init__(self, client: socket.socket, received: Any) -> None:
        self._client, self._received = client, received
        self._lock = threading.Lock()
        for channel in (0, 1):
            self._send(_BINARY, bytes([channel]) + struct.pack("<H", _PORT))

    def refuse(self, why: str) -> None:
        self._send(_BINARY, b"\1" + why.encode())
        self._send(_CLOSE, b"")

    def run(self, way: socket.socket) -> None:
        back = threading.Thread(target=self._back, args=(way,))
        back.start()
        with suppress(OSError):
            while (frame := self._frame()) is not None:
                way.sendall(frame[1:])
        with suppress(OSError):
            way.shutdown(socket.SHUT_RDWR)
        back.join()

    def _back(self, way: socket.socket) -> None:
        with suppress(OSError):
            while content := way.recv(16384):
                self._send(_BINARY, b"\0" + content)
            self._send(_CLOSE, b"")

    def _send(self, kind: int, content: bytes) -> None:
        length = len(content)
        head = (
            bytes([0x80 | kind, length])
            if length < 126
            else struct.pack("!BBH", 0x80 | kind, 126, length)
        )
        with self._lock:
            self._client.sendall(head + content)

    def _frame(self) -> bytes | None:
        """The content of the next one; None at the end."""
        head = self._received.read(2)
        if len(head) < 2 or head[0] & 0x0F == _CLOSE:
            return None
        length = head[1] & 0x7F
        if length == 126:
            [length] = struct.unpack("!H", self._received.read(2))
        elif length == 127:
            [length] = struct.unpack("!Q", self._received.read(8))
        mask = self._received.read(4)
        content = self._received.read(length)
        repeated = (mask * (length // 4 + 1))[:length]
        plain = int.from_bytes(content, "big") ^ int.from_bytes(repeated, "big")
        return plain.to_bytes(length, "big")
