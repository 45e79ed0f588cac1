"""A file for a secret is its owner's, and what is in it stays."""

import os
import stat
from pathlib import Path

import pytest

from mesh_trust.operations.errors import OperationError
from mesh_trust.operations.vault.private_file import PrivateFile, content_of, reserved_note


def test_a_reservation_becomes_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with PrivateFile(path, 4096, "a note") as file:
        assert path.stat().st_size == 4096
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert reserved_note(path) == "a note"
        assert content_of(path) is None
        file.note("another one")
        assert path.stat().st_size == 4096
        assert reserved_note(path) == "another one"
        assert content_of(path) is None
        file.fill(b"secret\n")
    assert content_of(path) == b"secret\n"
    assert reserved_note(path) is None
    with pytest.raises(OperationError, match="nothing is overwritten"):
        PrivateFile(path, 4096, "a note")
    assert path.read_bytes() == b"secret\n"


@pytest.mark.parametrize("left", [b"", b"reserved by", b"reserved by mesh-trust half a note"])
def test_what_a_killed_run_has_left_is_taken_over(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(left)
    path.chmod(0o600)
    assert content_of(path) is None
    assert reserved_note(path) is None
    with PrivateFile(path, 100, "whole") as file:
        assert reserved_note(path) == "whole"
        file.fill(b"secret")
    assert content_of(path) == b"secret"


def test_two_do_not_reserve_the_same(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with PrivateFile(path, 100, "first"):
        with pytest.raises(OperationError, match="another run"):
            PrivateFile(path, 100, "second")
        assert reserved_note(path) == "first"
    with PrivateFile(path, 100, "second"):
        assert reserved_note(path) == "second"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_not_used(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"secret")
    path.chmod(mode)
    with pytest.raises(OperationError, match="chmod 600"):
        content_of(path)
    path.chmod(0o400)
    assert content_of(path) == b"secret"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OperationError, match="cannot be written"):
        PrivateFile(tmp_path / "link", 100, "a note")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="No such file or directory"):
        PrivateFile(tmp_path / "none" / "secret", 100, "a note")


@pytest.mark.parametrize("content", [b"", b"secret"])
def test_a_file_of_another_user_is_not_used(tmp_path: Path, content: bytes) -> None:
    if os.geteuid() != 0:
        # Who is not root has no file of another to reserve; root's are there to be read.
        with pytest.raises(OperationError, match=r"belongs to another user \(uid 0\)"):
            content_of(Path("/etc/passwd"))
        return
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    os.chown(path, 65001, -1)

    for use in (lambda: content_of(path), lambda: PrivateFile(path, 100, "a note")):
        with pytest.raises(OperationError, match=r"belongs to another user \(uid 65001\)"):
            use()
    assert (path.read_bytes(), path.stat().st_uid) == (content, 65001)

    # The control: it is the owner that makes the difference.
    os.chown(path, 0, -1)
    assert content_of(path) == (content or None)
    if not content:
        with PrivateFile(path, 100, "a note"):
            assert reserved_note(path) == "a note"
