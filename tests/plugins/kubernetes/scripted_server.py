"""An API server of a few lines, which answers as a test tells it to."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.plugins.kubernetes.cluster import Cluster
from lab.plugins.kubernetes.kubeconfig import Selection, connect
from lab.plugins.provider.values import Properties
from tests.background import in_background

RESET = 0
"""Stands for the end of the connection instead of an answer."""

_KINDS: Properties = {
    "resources": [{"name": "configmaps", "kind": "ConfigMap", "namespaced": True}]
}


def cluster_at(port: int, request_seconds: float | None = None) -> Cluster:
    kubeconfig: Properties = {
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "test", "user": {}}],
    }
    return Cluster(connect(kubeconfig, Selection()), request_seconds)


@contextmanager
def scripted_cluster(answers: Sequence[tuple[int, Properties]]) -> Iterator[Cluster]:
    """Answer requests for ConfigMaps with each status and body in turn; the last one stays."""
    remaining = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/api/v1":
                self._answer(200, _KINDS)
                return
            status, body = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            if status == RESET:
                self.close_connection = True
            else:
                self._answer(status, body)

        def _answer(self, status: int, body: Properties) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield cluster_at(server.server_port)
