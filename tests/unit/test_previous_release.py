"""Which state of the repository an upgrade is tested from."""

import subprocess
from pathlib import Path

import pytest

from tests.previous_release import FIRST_FILE, NoHistoryError, extract, previous_release


class Repository:
    """A repository in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, **files: str) -> str:
        for path, content in files.items():
            (self.folder / path).write_text(content)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", "work")
        return self.git("rev-parse", "HEAD")

    def version(self, version: str) -> str:
        (self.folder / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
        return self.commit()

    def package(self) -> str:
        file = self.folder / FIRST_FILE
        file.parent.mkdir(parents=True)
        file.touch()
        return self.commit()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    folder = tmp_path / "repository"
    folder.mkdir()
    return Repository(folder)


def test_it_is_the_state_before_the_package_where_there_is_no_release(
    repository: Repository,
) -> None:
    repository.version("0.1.0")
    before = repository.commit()
    repository.package()
    repository.commit()
    repository.git("tag", "v0.1.0")

    assert previous_release(repository.folder) == before


def test_it_is_the_newest_tag_of_an_older_version(repository: Repository) -> None:
    repository.version("0.9.0")
    repository.git("tag", "v0.9.0")
    repository.package()
    newest = repository.version("0.10.0")
    repository.git("tag", "v0.10.0")
    repository.git("tag", "very-good")
    repository.version("0.11.0")
    repository.git("tag", "v0.11.0")

    assert previous_release(repository.folder) == newest


def test_a_shallow_clone_is_told_in_a_line(repository: Repository, tmp_path: Path) -> None:
    repository.version("0.1.0")
    repository.package()
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(clone))

    with pytest.raises(
        NoHistoryError, match=r"is a shallow clone.*: git fetch --unshallow --tags$"
    ):
        previous_release(clone)


def test_no_history_is_told_in_a_line(repository: Repository, tmp_path: Path) -> None:
    repository.version("0.1.0")
    with pytest.raises(NoHistoryError, match="has no release and no state before"):
        previous_release(repository.folder)
    with pytest.raises(NoHistoryError, match="is no git repository"):
        previous_release(tmp_path)


def test_its_files_are_those_of_the_commit(repository: Repository, tmp_path: Path) -> None:
    first = repository.commit(name="before")
    repository.commit(name="after")
    there = tmp_path / "there"
    there.mkdir()

    extract(repository.folder, first, there)

    assert [each.name for each in there.iterdir()] == ["name"]
    assert (there / "name").read_text() == "before"
