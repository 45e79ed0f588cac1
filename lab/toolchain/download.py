"""Fetches official releases, where the internet is there."""

import hashlib
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import requests

from .catalog import Download

CONNECT_TIMEOUT_SECONDS = 3
# Between two pieces of a download; a release of 200 MB may well take minutes as a whole.
READ_TIMEOUT_SECONDS = 15
_CHUNK_BYTES = 1 << 20


class DownloadError(Exception):
    """An official release is not to be had; the message says why."""


class Downloader:
    """Downloads, and remembers which hosts failed: those are not asked again."""

    def __init__(self) -> None:
        self._failures: dict[str, str] = {}

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
            with requests.get(
                url, stream=True, timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
            ) as response:
                if response.status_code != requests.codes.ok:
                    raise DownloadError(f"{url} answers {response.status_code}")
                yield from response.iter_content(_CHUNK_BYTES)
        except requests.RequestException as error:
            self._failures[host] = f"{host} cannot be reached ({type(error).__name__})"
            raise DownloadError(self._failures[host]) from error


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
