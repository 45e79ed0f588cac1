import os
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path
from types import ModuleType

import pytest
import requests

from lab.toolchain import download as module
from lab.toolchain.catalog import Download
from lab.toolchain.download import Downloader, DownloadError, published_digest
from tests.lab.toolchain.releases import PROGRAM, Publisher, sha256, tar_of, zip_of

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(module, "REACH_SECONDS", 0.5)
    monkeypatch.setattr(module, "ANSWER_SECONDS", 1.5)


def fetch(download: Download, folder: Path, downloader: Downloader | None = None) -> None:
    (downloader or Downloader()).fetch(download, folder, lambda _: None)


def output_of(executable: Path) -> str:
    return subprocess.run([executable], capture_output=True, text=True, check=True).stdout


def test_an_executable_is_ready_to_run(publisher: Publisher, tmp_path: Path) -> None:
    fetch(publisher.publish("tiny", PROGRAM), tmp_path)
    assert output_of(tmp_path / "tiny") == "downloaded\n"


def test_a_zip_is_unpacked(publisher: Publisher, tmp_path: Path) -> None:
    archive = zip_of({"tiny": PROGRAM, "LICENSE": b"free"})
    target = tmp_path / "target"
    target.mkdir()
    fetch(publisher.publish("tiny.zip", archive, "tiny"), target)
    assert output_of(target / "tiny") == "downloaded\n"
    assert {path.name for path in target.iterdir()} == {"tiny", "LICENSE"}


def test_what_lies_beside_the_executable_comes_along(publisher: Publisher, tmp_path: Path) -> None:
    archive = tar_of({"tiny-1/tiny": PROGRAM, "tiny-1/tiny-companion": PROGRAM, "README": b"read"})
    target = tmp_path / "target"
    target.mkdir()
    fetch(publisher.publish("tiny.tar.gz", archive, "tiny-1/tiny"), target)
    assert output_of(target / "tiny") == "downloaded\n"
    assert {path.name for path in target.iterdir()} == {"tiny", "tiny-companion"}
    assert stat.S_IMODE((target / "tiny").stat().st_mode) == 0o755


def test_what_is_not_as_published_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    download = publisher.publish("tiny", PROGRAM)
    publisher.files["/tiny"] = PROGRAM.replace(b"downloaded", b"tampered w")
    with pytest.raises(DownloadError) as refusal:
        fetch(download, tmp_path)
    assert sha256(PROGRAM) in str(refusal.value)
    assert not os.access(tmp_path / "tiny", os.X_OK)


def test_what_has_no_checksum_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    download = publisher.publish("tiny", PROGRAM)
    publisher.files["/SHA256SUMS"] = f"{sha256(PROGRAM)}  tiny.sig\n".encode()
    with pytest.raises(DownloadError, match="no checksum is published for tiny"):
        fetch(download, tmp_path)
    assert publisher.asked == ["/SHA256SUMS"]


def test_an_archive_without_the_executable_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    archive = tar_of({"other": PROGRAM})
    with pytest.raises(DownloadError, match=r"tiny\.tar\.gz does not hold tiny"):
        fetch(publisher.publish("tiny.tar.gz", archive, "tiny"), tmp_path)


def test_a_member_that_leads_out_of_the_folder_is_not_written(
    publisher: Publisher, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    archive = tar_of({"tiny": PROGRAM, "../../outside": b"outside"})
    with pytest.raises(DownloadError, match="outside"):
        fetch(publisher.publish("tiny.tar.gz", archive, "tiny"), target)
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("missing", ["/tiny", "/SHA256SUMS"])
def test_what_the_publisher_does_not_have_is_refused(
    publisher: Publisher, tmp_path: Path, missing: str
) -> None:
    download = publisher.publish("tiny", PROGRAM)
    del publisher.files[missing]
    with pytest.raises(DownloadError, match=f"{missing} answers 404"):
        fetch(download, tmp_path)


@pytest.mark.parametrize("path", ["/tiny", "/SHA256SUMS"])
@pytest.mark.parametrize("fault", ["silent", "broken", "stalled", "trickling"])
def test_an_answer_that_does_not_come_whole_is_a_failure(
    publisher: Publisher, tmp_path: Path, path: str, fault: str
) -> None:
    download = publisher.publish("tiny", PROGRAM)
    getattr(publisher, fault).add(path)
    with pytest.raises(DownloadError, match=publisher.address.removeprefix("http://")):
        fetch(download, tmp_path)
    assert not os.access(tmp_path / "tiny", os.X_OK)


@pytest.mark.parametrize("fault", ["silent", "broken", "stalled", "trickling"])
def test_a_host_that_failed_is_not_asked_again(
    publisher: Publisher, tmp_path: Path, fault: str
) -> None:
    first, second = publisher.publish("first", PROGRAM), publisher.publish("second", PROGRAM)
    getattr(publisher, fault).add("/SHA256SUMS")
    downloader = Downloader()
    reasons = set()
    for download in (first, second):
        with pytest.raises(DownloadError, match="cannot be reached") as failure:
            fetch(download, tmp_path, downloader)
        reasons.add(str(failure.value))
    assert publisher.asked == ["/SHA256SUMS"]
    assert len(reasons) == 1


def test_a_host_that_does_not_have_one_thing_is_asked_for_the_next(
    publisher: Publisher, tmp_path: Path
) -> None:
    missing, there = publisher.publish("missing", PROGRAM), publisher.publish("there", PROGRAM)
    del publisher.files["/missing"]
    downloader = Downloader()
    with pytest.raises(DownloadError):
        fetch(missing, tmp_path, downloader)
    fetch(there, tmp_path, downloader)
    assert (tmp_path / "there").read_bytes() == PROGRAM


@pytest.mark.parametrize("name", ["tiny.zip", "tiny.tar.gz"])
def test_what_is_no_archive_is_refused(publisher: Publisher, tmp_path: Path, name: str) -> None:
    with pytest.raises(DownloadError, match=f"{name} cannot be unpacked"):
        fetch(publisher.publish(name, PROGRAM, "tiny"), tmp_path)


def test_a_host_that_refuses_the_connection_is_a_failure(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(DownloadError, match="cannot be reached"):
            fetch(Download(f"{address}/tiny", f"{address}/SHA256SUMS", None), tmp_path)


@pytest.mark.parametrize(
    ("library", "stalled"),
    [(socket, "getaddrinfo"), (socket, "create_connection"), (requests, "get")],
    ids=["look-up", "connection", "answer"],
)
def test_a_host_that_cannot_be_reached_is_waited_for_but_shortly(
    publisher: Publisher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    library: ModuleType,
    stalled: str,
) -> None:
    over = threading.Event()

    def stall(*_: object, **__: object) -> None:
        over.wait()
        raise OSError("over")

    download = publisher.publish("tiny", PROGRAM)
    monkeypatch.setattr(library, stalled, stall)
    began = time.monotonic()
    with pytest.raises(DownloadError, match="cannot be reached"):
        fetch(download, tmp_path)
    over.set()
    assert time.monotonic() - began < 3
    assert publisher.asked == []


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_is_asked_instead_of_the_host(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    download = publisher.publish("tiny", PROGRAM)
    behind = Download("http://nowhere.invalid/tiny", "http://nowhere.invalid/SHA256SUMS", None)
    for name, content in list(publisher.files.items()):
        publisher.files[f"http://nowhere.invalid{name}"] = content
    proxy = download.url.removesuffix("/tiny").removeprefix("http://")
    monkeypatch.setenv("http_proxy", f"{scheme}{proxy}")
    fetch(behind, tmp_path)
    assert output_of(tmp_path / "tiny") == "downloaded\n"


def test_checksums_are_read_in_every_form_that_is_published() -> None:
    digest = "AB" * 32
    assert published_digest(f"{digest}\n", "tiny") == digest.lower()
    assert published_digest(f"{digest}  tiny\n", "tiny") == digest.lower()
    assert published_digest(f"{'0' * 64}  a\n{digest} *tiny\n", "tiny") == digest.lower()
    for checksums in (
        "",
        f"{digest}  tiny2\n",
        f"{digest}\n{digest}\n",
        "<html>no</html> here ?\n",
    ):
        with pytest.raises(DownloadError, match="no checksum is published for tiny"):
            published_digest(checksums, "tiny")
