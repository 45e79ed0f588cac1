"""A publisher of releases on the loopback interface, with its faults."""

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.toolchain.catalog import Download
from tests.background import in_background

PROGRAM = b"#!/bin/sh\necho downloaded\n"


@dataclass
class Publisher:
    """What is published, by path, and what was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    """Paths to which nothing is ever answered."""
    broken: set[str] = field(default_factory=set)
    """Paths whose answers stop half-way, with the connection closed."""
    stalled: set[str] = field(default_factory=set)
    """Paths whose answers stop half-way, with the connection open."""
    trickling: set[str] = field(default_factory=set)
    """Paths whose answers come byte by byte."""
    address: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    """Ends the silence, for the server to be stopped."""

    def publish(self, name: str, content: bytes, member: str | None = None) -> Download:
        """Publishes a release with its checksum; gives what the catalog would have of it."""
        self.files[f"/{name}"] = content
        others = f"{'0' * 64}  another-file\n"
        self.files["/SHA256SUMS"] = f"{others}{sha256(content)}  {name}\n".encode()
        return Download(f"{self.address}/{name}", f"{self.address}/SHA256SUMS", member)


@contextmanager
def publishing() -> Iterator[Publisher]:
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked.append(self.path)
            if self.path in publisher.silent:
                publisher.released.wait()
                return
            content = publisher.files.get(self.path)
            self.send_response(404 if content is None else 200)
            content = content or b""
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.path in publisher.broken | publisher.stalled:
                content = content[: len(content) // 2]
            if self.path in publisher.trickling:
                for byte in content:
                    if publisher.released.wait(0.05):
                        return
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                return
            self.wfile.write(content)
            if self.path in publisher.stalled:
                self.wfile.flush()
                publisher.released.wait()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    publisher.address = f"http://127.0.0.1:{server.server_port}"
    with in_background(server, 0.02):
        try:
            yield publisher
        finally:
            publisher.released.set()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
