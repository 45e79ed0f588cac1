"""The release before this one, from the repository's own history.

A release is a tag `v<version>`. There is none before the first: the last state before the
components became the package `mesh_trust` is it then.
"""

import subprocess
import tomllib
from pathlib import Path

from packaging.version import Version

FIRST_FILE = "components/mesh_trust/__init__.py"
"""What came into being with the package."""


class NoHistoryError(Exception):
    """The repository does not hold it; the message says in one line what to do."""


def previous_release(checkout: Path) -> str:
    """The commit of the newest release before the version in `checkout`.

    Raises:
        NoHistoryError: it is not in the repository.
    """
    if not (checkout / ".git").exists():
        raise NoHistoryError(f"{checkout} is no git repository: the previous release is not there")
    version = Version(
        tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["version"]
    )
    tags = _git(checkout, "tag", "--list", "v[0-9]*", "--merged", "HEAD").split()
    if before := [tag for tag in tags if Version(tag) < version]:
        return _git(checkout, "rev-parse", f"{max(before, key=Version)}^{{commit}}").strip()
    if _git(checkout, "rev-parse", "--is-shallow-repository").strip() == "true":
        raise NoHistoryError(
            f"{checkout} is a shallow clone, without the previous release: "
            "git fetch --unshallow --tags"
        )
    added = _git(checkout, "log", "--diff-filter=A", "--format=%H", "--", FIRST_FILE).split()
    if not added or not (parents := _git(checkout, "log", "-1", "--format=%P", added[-1]).split()):
        raise NoHistoryError(f"{checkout} has no release and no state before {FIRST_FILE}")
    return parents[0]


def extract(checkout: Path, commit: str, folder: Path) -> None:
    """Writes the files of `commit` to `folder`."""
    archive = subprocess.run(
        ["git", "archive", commit], cwd=checkout, stdout=subprocess.PIPE, check=True
    )
    subprocess.run(["tar", "--extract", "--directory", folder], input=archive.stdout, check=True)


def _git(checkout: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=checkout, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
