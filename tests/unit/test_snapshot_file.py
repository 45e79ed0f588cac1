"""A snapshot is written whole or not at all, and only for its owner."""

import gzip
import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mesh_trust.operations.errors import OperationError
from mesh_trust.operations.vault.snapshot_file import facts_of, keep

META = json.dumps(
    {"Index": 7, "Size": 5, "Configuration": {"Servers": [{"ID": "vault-0"}]}}
).encode()


def archive(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def snapshot(**changed: bytes | None) -> bytes:
    """One as Vault makes them; `meta`, `state` and `sealed` are changed, or left out."""
    files = {"meta.json": META, "state.bin": b"state"}
    sums = "".join(f"{hashlib.sha256(each).hexdigest()}  {name}\n" for name, each in files.items())
    files |= {"SHA256SUMS": sums.encode(), "SHA256SUMS.sealed": b"sealed"}
    for name, content in changed.items():
        full = {"meta": "meta.json", "state": "state.bin", "sealed": "SHA256SUMS.sealed"}[name]
        del files[full]
        if content is not None:
            files[full] = content
    return archive(files)


def test_it_is_kept(tmp_path: Path) -> None:
    path, content = tmp_path / "snapshot", snapshot()

    facts = keep(path, [content[:9], content[9:]])

    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*tmp_path.iterdir()] == [path]
    assert facts == facts_of(path)
    assert (facts.index, facts.size, facts.servers) == (7, 5, ("vault-0",))


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"garbage",
        lambda: gzip.compress(b"garbage"),
        lambda: snapshot()[:-20],
        lambda: snapshot()[: len(snapshot()) // 2],
        lambda: snapshot(state=b"other"),
        lambda: snapshot(meta=META.replace(b"7", b"8")),
        lambda: snapshot(state=None),
        lambda: snapshot(sealed=None),
        lambda: archive({"something": b"else"}),
    ],
)
def test_what_is_no_whole_one_is_not_kept(tmp_path: Path, make: Callable[[], bytes]) -> None:
    path = tmp_path / "snapshot"

    with pytest.raises(OperationError, match="is no whole snapshot") as caught:
        keep(path, [make()])

    assert caught.value.message.startswith(f"{path} ")
    assert "\n" not in caught.value.message
    assert [*tmp_path.iterdir()] == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OperationError, match="is there already"):
        keep(path, [snapshot()])
    path.unlink()

    def chunks() -> list[bytes]:
        # Somebody else's, come in between.
        path.write_text("mine")
        return [snapshot()]

    with pytest.raises(OperationError, match="is there already"):
        keep(path, (each for each in [None] for each in chunks()))
    assert path.read_text() == "mine"
    assert [*tmp_path.iterdir()] == [path]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="cannot be written"):
        keep(tmp_path / "none" / "snapshot", [snapshot()])
