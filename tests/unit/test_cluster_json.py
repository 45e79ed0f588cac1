"""A cluster is read as JSON: what an answer means, and how little is loaded for it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from mesh_trust.cluster_access import ClusterAccess
from mesh_trust.cluster_errors import ClusterRefusedError, ClusterSilentError

_ANSWERS = {
    "/api/v1/namespaces/there": (200, "application/json", b'{"metadata": {"uid": "its-uid"}}'),
    "/api/v1/namespaces/forbidden": (403, "application/json", b'{"message": "not you"}'),
    "/api/v1/namespaces/broken": (500, "application/json", b'{"message": "out of order"}'),
    "/api/v1/namespaces/page": (200, "text/html", b"<html>"),
    "/api/v1/namespaces/torn": (200, "application/json", b'{"metadata": '),
    "/apis/group/v1": (200, "application/json", b'{"resources": [{"name": "things"}]}'),
    "/apis/group/v1/namespaces/n/things/one": (200, "application/json", b'{"status": {}}'),
    "/apis/apps/v1/namespaces/n/deployments/d": (200, "application/json", b'{"spec": {}}'),
    "/api/v1/namespaces/n/secrets": (200, "application/json", b'{"items": [{}]}'),
    "/api/v1/namespaces/empty/secrets": (200, "application/json", b'{"items": []}'),
}


class ApiServer(ThreadingHTTPServer):
    """One that answers as told, and notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None]] = []

    @property
    def kubeconfig(self) -> str:
        """The content of a kubeconfig that leads to it, with the token `a-token`."""
        return f"""
contexts: [{{name: c, context: {{cluster: c, user: c}}}}]
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{self.server_port}"}}}}]
users: [{{name: c, user: {{token: a-token}}}}]
"""


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        absent = (404, "application/json", b'{"message": "not found"}')
        status, kind, content = _ANSWERS.get(urlsplit(self.path).path, absent)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_is_there_and_what_is_not(server: ApiServer) -> None:
    access = ClusterAccess(server.kubeconfig, "c")
    assert access.namespace_uid("there") == "its-uid"
    assert access.namespace_uid("elsewhere") is None
    assert access.serves("group", "v1", "things")
    assert not access.serves("group", "v1", "others")
    assert not access.serves("group", "v2", "things")
    assert access.custom_object("group/v1", "things", "n", "one") == {"status": {}}
    assert access.custom_object("group/v1", "things", "n", "two") is None
    assert access.deployment("n", "d") == {"spec": {}}
    assert access.deployment("n", "e") is None
    assert access.has_release("n", "r")
    assert not access.has_release("empty", "r")
    assert {who for _, who in server.asked} == {"Bearer a-token"}
    query = parse_qs(urlsplit(server.asked[-1][0]).query)
    assert query["labelSelector"] == ["owner=helm,name=r"]
    assert query["fieldSelector"] == ["type=helm.sh/release.v1"]


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("forbidden", ClusterRefusedError, "refuses to be read: not you"),
        ("broken", ClusterSilentError, "answers 500: out of order"),
        ("page", ClusterSilentError, "answers 200: that is no JSON object"),
        ("torn", ClusterSilentError, "answers 200: that is no JSON object"),
    ],
)
def test_what_says_nothing(
    server: ApiServer, name: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ClusterAccess(server.kubeconfig, "c").namespace_uid(name)


def test_a_name_stays_one(server: ApiServer) -> None:
    assert ClusterAccess(server.kubeconfig, "c").namespace_uid("there/../../v2?x=") is None
    assert server.asked[-1][0] == "/api/v1/namespaces/there%2F..%2F..%2Fv2%3Fx%3D"


_PROGRAM = """
import ast, pathlib, sys
tree = ast.parse(pathlib.Path("__main__.py").read_text())
imports = [each for each in tree.body if isinstance(each, (ast.Import, ast.ImportFrom))]
exec(compile(ast.Module(imports, []), "imports", "exec"))
import mesh_trust.token_reviewer
from mesh_trust.cluster_access import ClusterAccess
access = ClusterAccess(sys.stdin.read(), "c")
access.namespace_uid("there"), access.serves("group", "v1", "things"), access.deployment("n", "d")
{also}
heavy = ("kubernetes.client.models.", "pulumi_kubernetes.core.v1.")
print(sum(each.startswith(heavy) for each in sys.modules))
"""


@pytest.mark.parametrize("also", ["", "access.pod('n', 'p')", "kubernetes.core.v1.Secret"])
def test_the_classes_of_all_objects_are_not_loaded(server: ApiServer, also: str) -> None:
    """They take half of the time that an update without changes has of a processor."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(also=also)],
        input=server.kubeconfig,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = int(done.stdout)
    assert (loaded > 10) is bool(also)
    assert also or loaded == 0
