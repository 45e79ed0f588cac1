"""What is said where the API server makes no connection to a pod of istiod."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mesh_trust.kubeconfig import Kubeconfig
from mesh_trust.operations import port_forward as module
from mesh_trust.operations.cluster_client import ClusterClient
from mesh_trust.operations.istiod_chain import istiod_certificates, istiod_chain
from mesh_trust.operations.unreachable import UnreachableError
from mesh_trust.settings import Connection
from tests.background import accepting


@contextmanager
def answering(answer: str | None) -> Iterator[int]:
    """A server that answers each request with `answer`, or with nothing; gives its port."""
    held: list[socket.socket] = []

    def answer_to(connection: socket.socket) -> None:
        held.append(connection)
        connection.recv(65536)
        if answer is not None:
            connection.sendall(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())

    try:
        with accepting(answer_to) as (_, port):
            yield port
    finally:
        for each in held:
            each.close()


def client_of(port: int) -> ClusterClient:
    kubeconfig: dict[str, Any] = {
        "clusters": [{"name": "east", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "east", "user": {"token": "t"}}],
        "contexts": [{"name": "east", "context": {"cluster": "east", "user": "east"}}],
        "current-context": "east",
    }
    text = json.dumps(kubeconfig, indent=1)
    return ClusterClient(Connection(text, "east", Kubeconfig.read(text)))


@pytest.mark.parametrize(
    ("answer", "said", "fix"),
    [
        ("403 Forbidden", "(403 Forbidden)", "right to create pods/portforward"),
        ("401 Unauthorized", "(401 Unauthorized)", "credentials in the kubeconfig"),
        ("404 Not Found", "(404 Not Found)", "see that the pod and its node run"),
        ("502 Bad Gateway", "(502 Bad Gateway)", "see that the pod and its node run"),
    ],
)
def test_a_refusal_says_whose_it_is(answer: str, said: str, fix: str) -> None:
    with answering(answer) as port:
        client = client_of(port)
        for look in (
            lambda: istiod_certificates(client, "istio-system", "istiod-1"),
            lambda: istiod_chain(client, "istio-system", "istiod-1", []),
        ):
            with pytest.raises(UnreachableError) as caught:
                look()
            assert str(caught.value) == (
                "no connection to pod istio-system/istiod-1 is to be had through the API server "
                f"{said}"
            )
            assert fix in caught.value.fix


def test_a_server_that_is_not_there() -> None:
    with answering(None) as port:
        pass

    with pytest.raises(UnreachableError, match="Connection refused") as caught:
        istiod_certificates(client_of(port), "istio-system", "istiod-1")

    assert "/readyz" in caught.value.fix


def test_a_server_that_says_nothing_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.2)

    with (
        answering(None) as port,
        pytest.raises(UnreachableError, match=r"no answer in 0\.2 s") as caught,
    ):
        istiod_certificates(client_of(port), "istio-system", "istiod-1")

    assert "/readyz" in caught.value.fix
