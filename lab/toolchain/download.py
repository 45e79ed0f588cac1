"""Fetches official releases, where the internet is there."""

import hashlib
import shutil
import socket
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import HTTPError

from .catalog import Download

# For looking up a host and connecting to the first of its addresses that answers, all together.
REACH_SECONDS = 4
# Until an answer begins, with the hosts that it redirects to.
ANSWER_SECONDS = 30
# Between two pieces of a download; a release of 200 MB may well take minutes as a whole.
READ_TIMEOUT_SECONDS = 15
# What comes slower on the average, after a while, would take hours.
MINIMUM_BYTES_PER_SECOND = 32 << 10
_CHUNK_BYTES = 1 << 20
_PORTS = {"http": 80, "https": 443}
_SOCKS_PORT = 1080

_Result = TypeVar("_Result")


class DownloadError(Exception):
    """An official release is not to be had; the message says why."""


class Downloader:
    """Downloads, and remembers which hosts failed: those are not asked again."""

    def __init__(self) -> None:
        self._failures: dict[str, str] = {}
        self._reached: set[str] = set()

    def fetch(self, download: Download, folder: Path, step: Callable[[str], None]) -> None:
        """Puts the files of `download` into `folder`, checked against the published SHA-256.

        Raises:
            DownloadError: the host cannot be reached, or does not have it, or it is not what the
                checksums say.
        """
        file_name = PurePosixPath(urlsplit(download.url).path).name
        step("asking for the official release")
        checksums = b"".join(self._content(download.checksums_url)).decode(errors="replace")
        expected = published_digest(checksums, file_name)
        archive = folder / file_name
        digest = hashlib.sha256()
        received = 0
        with archive.open("wb") as file:
            for chunk in self._content(download.url):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                step(f"downloading, {received >> 20} MiB")
        if digest.hexdigest() != expected:
            raise DownloadError(
                f"{download.url} has SHA-256 {digest.hexdigest()}, published is {expected}"
            )
        _unpack(archive, download.member, folder)

    def _content(self, url: str) -> Iterator[bytes]:
        host = urlsplit(url).netloc
        if host in self._failures:
            raise DownloadError(self._failures[host])
        try:
            if host not in self._reached:
                _within(REACH_SECONDS, lambda: _connect(url))
                self._reached.add(host)
            with _within(ANSWER_SECONDS, lambda: _get(url)) as response:
                if response.status_code != requests.codes.ok:
                    raise DownloadError(f"{url} answers {response.status_code}")
                yield from _pieces(response)
        except (OSError, ValueError, HTTPError) as error:
            self._failures[host] = f"{host} cannot be reached ({type(error).__name__})"
            raise DownloadError(self._failures[host]) from error


def _within(seconds: float, action: Callable[[], _Result]) -> _Result:
    """What `action` gives; TimeoutError where it takes longer, as a look-up of a name can."""
    future: Future[_Result] = Future()

    def run() -> None:
        try:
            future.set_result(action())
        except Exception as error:  # noqa: BLE001 - handed to who waits
            future.set_exception(error)

    # One that does not end is no reason for the program not to.
    threading.Thread(target=run, daemon=True).start()
    return future.result(seconds)


def _connect(url: str) -> None:
    """Connects to the host of `url`, or to the proxy that stands before it."""
    first = urlsplit(select_proxy(url, get_environ_proxies(url)) or url)
    if not first.hostname:
        # As requests has it, a proxy without a scheme is an HTTP one.
        first = urlsplit(f"http://{first.geturl()}")
    port = first.port or _PORTS.get(first.scheme, _SOCKS_PORT)
    socket.create_connection((str(first.hostname), port), REACH_SECONDS).close()


def _get(url: str) -> requests.Response:
    return requests.get(url, stream=True, timeout=(REACH_SECONDS, READ_TIMEOUT_SECONDS))


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """The content as it comes; TimeoutError where that is too slow."""
    began = time.monotonic()
    received = 0
    # Not iter_content, which waits for a whole piece however slowly its bytes come.
    while piece := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        yield piece
        received += len(piece)
        seconds = time.monotonic() - began
        if seconds > READ_TIMEOUT_SECONDS and received < seconds * MINIMUM_BYTES_PER_SECOND:
            raise TimeoutError("too slow")


def published_digest(checksums: str, file_name: str) -> str:
    """The SHA-256 that `checksums` gives for `file_name`, in hexadecimal.

    Raises:
        DownloadError: it gives none.
    """
    lines = [line.split() for line in checksums.splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0]) == 1:
        return lines[0][0].lower()
    for fields in lines:
        if len(fields) == 2 and fields[1].lstrip("*") == file_name:
            return fields[0].lower()
    raise DownloadError(f"no checksum is published for {file_name}")


def _unpack(archive: Path, member: str | None, folder: Path) -> None:
    """Leaves in `folder` the executable and what lies beside it in the archive."""
    if member is None:
        archive.chmod(0o755)
        return
    unpacked = folder / "unpacked"
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(unpacked)
        else:
            with tarfile.open(archive) as tarred:
                tarred.extractall(unpacked, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile) as error:
        raise DownloadError(f"{archive.name} cannot be unpacked: {error}") from error
    archive.unlink()
    executable = unpacked / member
    if not executable.is_file():
        raise DownloadError(f"{archive.name} does not hold {member}")
    executable.chmod(0o755)
    for path in executable.parent.iterdir():
        path.rename(folder / path.name)
    shutil.rmtree(unpacked)
