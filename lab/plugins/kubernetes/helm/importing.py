"""Where the chart of a release may have come from that is only known from its cluster."""

from collections.abc import Iterator
from pathlib import Path

from lab.plugins.kubernetes.helm.chart import prepared_chart
from lab.plugins.kubernetes.helm.command import Helm, HelmError
from lab.plugins.kubernetes.helm.go_yaml import UnreadableYaml, parse_mapping, parse_yaml
from lab.plugins.kubernetes.helm.live import LiveRelease
from lab.plugins.kubernetes.objects import items, text
from lab.plugins.provider.values import Properties


def with_chart(helm: Helm, release: Properties, live: LiveRelease) -> Properties:
    """Return the fields of a release with the chart, and its version, that it seems to be from.

    Looked for are the program's own folder and then the user's repositories, as helm has them
    stored; where there is none, the chart's bare name has to do, and the program says more.
    """
    found = _in_program_folder(helm, live) or _in_repositories(helm, live) or live.chart
    release = {**release, "chart": found}
    try:
        with prepared_chart(helm, release) as chart:
            return {**release, "version": chart.version}
    except HelmError:
        return release  # the program's own inputs are checked afterwards, and this said there


def _in_program_folder(helm: Helm, live: LiveRelease) -> str:
    with_version = f"{live.chart}-{live.version}"
    for name, is_folder in (
        (with_version, True),
        (f"{with_version}.tgz", False),
        (live.chart, True),
        (f"{live.chart}.tgz", False),
    ):
        path = Path(name)
        if (path.is_dir() if is_folder else path.is_file()) and _is_chart(helm, name):
            return name
    return ""


def _is_chart(helm: Helm, path: str) -> bool:
    try:
        helm.run("show", "chart", "--", path)
    except HelmError:
        return False
    return True


def _in_repositories(helm: Helm, live: LiveRelease) -> str:
    repositories = [*_repositories(Path(helm.settings.repository_config))]
    if not repositories:
        return ""
    try:
        printed = helm.run("search", "repo", "--version", live.version, "--output", "json")
    except HelmError:
        return ""  # none has been stored yet
    found = parse_yaml(printed)
    stored = {
        text(entry, "name")
        for entry in items({"found": found}, "found")
        if text(entry, "version") == live.version
    }
    wanted = (f"{repository}/{live.chart}" for repository in repositories)
    return next((name for name in wanted if name in stored), "")


def _repositories(configuration: Path) -> Iterator[str]:
    if not configuration.is_file():
        return
    try:
        parsed = parse_mapping(configuration.read_text())
    except UnreadableYaml:
        return
    for entry in items(parsed, "repositories"):
        yield text(entry, "name")
