import socket
from collections.abc import Iterator

import pytest

from lab.plugins.kubernetes import cluster
from lab.plugins.kubernetes.cluster import Unreachable
from tests.plugins.kubernetes.scripted_server import cluster_at


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def connections(listening: socket.socket) -> int:
    count = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_a_server_that_never_answers_is_given_up_at_once(silent: socket.socket) -> None:
    with pytest.raises(Unreachable, match="Read timed out"):
        cluster_at(silent.getsockname()[1], 0.2).version()
    assert connections(silent) == 1


def test_there_is_a_limit_where_none_is_configured(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_ANSWER_SECONDS", 0.2)
    with pytest.raises(Unreachable, match="Read timed out"):
        cluster_at(silent.getsockname()[1]).version()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(Unreachable, match="Connection refused"):
        cluster_at(port).version()
