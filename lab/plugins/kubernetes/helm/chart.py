"""Finds a release's chart, on this machine or in a repository, and sees that it is complete."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.plugins.kubernetes.credential_files import credentials_folder
from lab.plugins.kubernetes.helm.command import Helm, HelmError
from lab.plugins.kubernetes.helm.fields import is_set
from lab.plugins.kubernetes.helm.go_yaml import UnreadableYaml, parse_mapping
from lab.plugins.kubernetes.helm.repository import is_remote_only, pull, reference
from lab.plugins.kubernetes.objects import items, text
from lab.plugins.provider.values import Properties

# Helm's words for a dependency whose chart is not there under its name.
_ABSENT = frozenset({"missing", "misnamed"})
_COLUMNS = 4  # name, version, repository, status
_WIDEST = "1000"


@dataclass(frozen=True)
class Chart:
    """A chart that can be installed: where it is, and which version it is."""

    path: str
    version: str


@contextmanager
def prepared_chart(helm: Helm, release: Properties) -> Iterator[Chart]:
    """Give the chart of a release for as long as it is needed; raises `HelmError`.

    A path of one of the program's own files starts at the folder that the engine runs plugins in:
    that of the project.
    """
    with tempfile.TemporaryDirectory(prefix="chart-", dir=credentials_folder()) as folder:
        path = _local(helm, release) or str(pull(helm, release, Path(folder)))
        described = _described(helm, path)
        if items(described, "dependencies"):
            _complete(helm, release, path)
        yield Chart(path, text(described, "version"))


def _local(helm: Helm, release: Properties) -> str | None:
    if is_remote_only(release):
        return None
    name = reference(release)
    path = Path(name)
    # A folder that is no chart may have the name of a repository.
    if path.exists() and (not path.is_dir() or (path / "Chart.yaml").exists()):
        if is_set(release, "verify"):
            helm.run("verify", "--keyring", text(release, "keyring"), "--", name)
        return str(path.absolute())
    if path.is_absolute() or name.startswith("."):
        raise HelmError(f'path "{name}" not found')
    return None


def _described(helm: Helm, path: str) -> Properties:
    try:
        return parse_mapping(helm.run("show", "chart", "--", path))
    except UnreadableYaml as error:
        raise HelmError(f"its Chart.yaml: {error}") from error


def _complete(helm: Helm, release: Properties, path: str) -> None:
    listed = helm.run("dependency", "list", "--max-col-width", _WIDEST, "--", path)
    missing = [*_missing(listed)]
    if not missing:
        return
    if not is_set(release, "dependencyUpdate"):
        names = ", ".join(missing)
        raise HelmError(f"found in Chart.yaml, but missing in charts/ directory: {names}")
    keyring = text(release, "keyring")
    helm.run("dependency", "update", *(["--keyring", keyring] if keyring else []), "--", path)


def _missing(listed: str) -> Iterator[str]:
    table, _, _ = listed.partition("\n\n")
    for line in table.splitlines()[1:]:
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) == _COLUMNS and columns[-1] in _ABSENT:
            yield columns[0]
