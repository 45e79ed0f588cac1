"""What stands in front of a real server and changes a part of what it says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from tests.background import in_background

Change = Callable[[str, int, dict[str, str], bytes], tuple[int, dict[str, str], bytes]]
"""Takes path, status, headers and body of an answer, and gives what is answered in their place."""

_OF_THE_CONNECTION = ("transfer-encoding", "content-encoding", "content-length", "connection")


@contextmanager
def in_front_of(
    address: str, change: Change, verify: str, cert: tuple[str, str] | None = None
) -> Iterator[str]:
    """Passes every request on to the server at `address`; gives the address to ask instead.

    `verify` is the file of the server's CA, `cert` those of a client's certificate and key.
    """

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            told = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in ("host", *_OF_THE_CONNECTION)
            }
            with requests.Session() as session:
                # What the shell says of proxies and CAs is not meant for this.
                session.trust_env = False
                answer = session.request(
                    self.command,
                    address + self.path,
                    data=self.rfile.read(length),
                    headers=told,
                    verify=verify,
                    cert=cert,
                    timeout=30,
                )
            status, headers, body = change(
                self.path, answer.status_code, dict(answer.headers), answer.content
            )
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in _OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_LIST = do_DELETE = _pass_on  # noqa: N815 - the base's names

        def log_message(self, *_: Any) -> None:
            """Not into the tests' output."""

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Passing)) as server:
        yield f"http://127.0.0.1:{server.server_port}"
