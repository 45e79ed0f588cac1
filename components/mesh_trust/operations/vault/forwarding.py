"""Requests to a server in a pod, by connections through the API server."""

import socket
from contextlib import suppress
from threading import Thread
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from ..port_forward import PodPort
from ..unreachable import UnreachableError


class ForwardedTransport(HTTPAdapter):
    """Has a session of requests connect to one pod, whatever the host of a URL is.

    The server's certificate has to hold for `server_name`.
    """

    def __init__(self, port: PodPort, server_name: str) -> None:
        """Connects to nothing yet."""
        self._server_name = server_name
        self.port = port
        self.fault: UnreachableError | None = None
        """Why there was no connection when one was wanted last."""
        super().__init__()

    def connect(self) -> socket.socket:
        """A connection to the pod, not secured yet.

        Raises:
            UnreachableError: there is none.
        """
        return _relayed(self.port.connect())

    @property
    def server_name(self) -> str:
        """What the server's certificate has to hold for."""
        return self._server_name

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Makes the pools of connections; called by HTTPAdapter."""
        # OpenSSL, which looks by itself otherwise, takes no wildcard with a single label behind it,
        # such as *.vault-internal; Vault's servers, whose name it is among themselves, do.
        super().init_poolmanager(*arguments, assert_hostname=self._server_name, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": self._pool_class()}

    def _pool_class(self) -> type[HTTPSConnectionPool]:
        transport = self

        class Connection(HTTPSConnection):
            # Where urllib3's own ways through proxies cut in as well (urllib3.contrib.socks).
            def _new_conn(self) -> Any:
                try:
                    connection = transport.connect()
                except UnreachableError as error:
                    transport.fault = error
                    raise NewConnectionError(self, str(error)) from error
                transport.fault = None
                connection.settimeout(self.timeout)
                return connection

        class Pool(HTTPSConnectionPool):
            ConnectionCls = Connection

        return Pool


def _relayed(way: Any) -> socket.socket:
    """A connection that leads on by `way`, and can be closed at any time.

    Where something is unread at the close, a forward that it leads by directly ends in an error of
    its own, which its thread prints.
    """
    near, far = socket.socketpair()
    for source, target in ((far, way), (way, far)):
        Thread(target=_relay, args=(source, target), daemon=True).start()
    return near


def _relay(source: Any, target: Any) -> None:
    """Passes on all that comes, and reads to the end even when nobody wants it any more."""
    is_wanted = True
    with suppress(OSError):
        while content := source.recv(65536):
            if is_wanted:
                is_wanted = _is_sent(target, content)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _is_sent(target: Any, content: bytes) -> bool:
    try:
        target.sendall(content)
    except OSError:
        return False
    return True
