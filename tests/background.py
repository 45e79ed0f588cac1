"""Servers of the tests' own, in this process."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import HTTPServer
from typing import TypeVar

_Server = TypeVar("_Server", bound=HTTPServer)


@contextmanager
def in_background(server: _Server, poll_seconds: float = 0.5) -> Iterator[_Server]:
    """Has `server` answer for as long as the context lasts.

    It ends within `poll_seconds`, which are those of `serve_forever` unless they are said.
    """
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(poll_seconds,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def accepting(handle: Callable[[socket.socket], None]) -> Iterator[tuple[str, int]]:
    """Hands each connection to a port of loopback to `handle`, one after another.

    Gives host and port.
    """

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            handle(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join()
