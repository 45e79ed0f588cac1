from collections.abc import Callable
from pathlib import Path

import pytest

from lab.toolchain.cache import Entry, cache_root


def produce(content: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "share").mkdir()
        (folder / "tool").write_text(content)
        (folder / "share" / "notes").write_text("notes")

    return write


def no_wait() -> None:
    pytest.fail("nobody has it")


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    """An entry that is not there yet."""
    return Entry(tmp_path / "tool" / "build-1")


@pytest.fixture
def filled(entry: Entry) -> Entry:
    entry.folder.parent.mkdir()
    entry.fill(produce("program"))
    return entry


def test_an_entry_is_whole_once_it_is_filled(entry: Entry) -> None:
    assert not entry.is_whole()
    with entry.locked(no_wait):
        entry.fill(produce("program"))
    assert entry.is_whole()
    assert (entry.folder / "tool").read_text() == "program"


@pytest.mark.parametrize("name", ["tool", "share/notes", "record.json"])
@pytest.mark.parametrize("damage", ["truncated", "missing", "emptied", "changed"])
def test_a_damaged_entry_is_not_whole(filled: Entry, name: str, damage: str) -> None:
    path = filled.folder / name
    content = path.read_bytes()
    path.unlink()
    if damage == "truncated":
        path.write_bytes(content[:-1])
    elif damage == "emptied":
        path.touch()
    elif damage == "changed":
        path.write_bytes(content.replace(b"o", b"0"))
    assert not filled.is_whole()


def test_filling_again_replaces_all_of_it(filled: Entry) -> None:
    (filled.folder / "tool").write_text("broken")
    filled.fill(lambda folder: (folder / "other").touch())
    assert filled.is_whole()
    assert not (filled.folder / "tool").exists()


def test_a_failure_leaves_what_was_there_and_nothing_half(filled: Entry) -> None:
    def fail(folder: Path) -> None:
        (folder / "tool").write_text("half")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        filled.fill(fail)
    assert filled.is_whole()
    assert (filled.folder / "tool").read_text() == "program"
    assert list(filled.folder.parent.iterdir()) == [filled.folder]


def test_leftovers_of_a_killed_run_are_cleared_away(filled: Entry) -> None:
    parent = filled.folder.parent
    leftover = parent / f".partial-{filled.folder.name}-killed"
    leftover.mkdir()
    (leftover / "tool").write_text("half")
    of_another = parent / ".partial-build-2-killed"
    of_another.mkdir()
    running = parent / ".partial-build-3-running"
    running.mkdir()
    with filled.locked(no_wait), Entry(parent / "build-3").locked(no_wait):
        filled.fill(produce("program"))
    folders = {path for path in parent.iterdir() if path.is_dir()}
    assert folders == {filled.folder, running}


def test_the_cache_is_where_the_environment_says() -> None:
    assert cache_root({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/mesh-trust/tools")
    assert cache_root({"HOME": "/h"}) == Path("/h/.cache/mesh-trust/tools")
    for ignored in ("", "cache", "./cache"):
        environment = {"XDG_CACHE_HOME": ignored, "HOME": "/h"}
        assert cache_root(environment) == Path("/h/.cache/mesh-trust/tools")
