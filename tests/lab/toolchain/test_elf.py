import shutil
from pathlib import Path

import pytest

from lab.toolchain import Toolchain, is_statically_linked
from tests.lab.toolchain.debian import executable_file


def linked_statically(tmp_path: Path, content: bytes) -> bool:
    file = tmp_path / "program"
    file.write_bytes(content)
    return is_statically_linked(file)


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_asks_for_a_dynamic_linker_is_not_static(tmp_path: Path, order: str) -> None:
    assert linked_statically(tmp_path, executable_file(static=True, order=order))
    assert not linked_statically(tmp_path, executable_file(static=False, order=order))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#!/bin/sh\necho a script asks for an interpreter\n",
        b"\x7fELF",
        executable_file(static=True)[:40],
        executable_file(static=True)[:-56],
        executable_file(static=True, bits=32),
        executable_file(static=True).replace(b"\x7fELF\x02\x01", b"\x7fELF\x02\x07"),
    ],
)
def test_what_is_no_whole_executable_for_64_bits_is_not_static(
    tmp_path: Path, content: bytes
) -> None:
    assert not linked_statically(tmp_path, content)


def test_one_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        is_statically_linked(tmp_path / "program")


def test_real_executables(toolchain: Toolchain) -> None:
    assert is_statically_linked(toolchain["pause"].path)
    shell = shutil.which("bash")
    assert shell is not None
    assert not is_statically_linked(Path(shell))
