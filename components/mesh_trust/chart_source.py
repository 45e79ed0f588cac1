"""Where a Helm chart comes from: a repository, a registry, or a folder."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .validation import InvalidInputError

_EXACT_VERSION = re.compile(
    r"v?\d+\.\d+\.\d+(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)


@dataclass(frozen=True)
class ChartSource:
    """A chart as Helm is told to find it."""

    chart: str
    """Name in the repository, OCI reference, or path."""
    repository: str | None
    """Address of the repository; None where `chart` says by itself where it is."""
    version: str | None
    """The exact version; None for a local chart, which has its own."""


def chart_source(
    chart: str | None,
    repository: str | None,
    version: str | None,
    *,
    default: ChartSource,
) -> ChartSource:
    """What to tell Helm; None takes what `default` has.

    A chart with a slash in it is an OCI reference (`oci://…`) or a path, relative to the folder
    that the program runs in, as Helm takes it.

    Raises:
        InvalidInputError: `chart`, `repository` or `chart_version` is not usable, or does not go
            with the others.
    """
    chart = default.chart if chart is None else chart
    if not isinstance(chart, str) or not chart:
        raise InvalidInputError("chart", chart, "name a chart, a path or an OCI reference")
    if version is not None and not _is_exact(version):
        raise InvalidInputError("chart_version", version, 'use an exact version such as "0.34.1"')
    if "/" not in chart:
        repository = default.repository if repository is None else _checked_repository(repository)
        return ChartSource(chart, repository, version or default.version)
    if repository is not None:
        raise InvalidInputError(
            "repository", repository, "leave it out: chart says by itself where it is"
        )
    if chart.startswith("oci://"):
        return ChartSource(chart, None, version or default.version)
    if not (Path(chart) / "Chart.yaml").is_file() and not Path(chart).is_file():
        raise InvalidInputError(
            "chart",
            chart,
            f"name a folder below {Path.cwd()} that has a Chart.yaml, or a packaged chart"
            if not Path(chart).is_absolute()
            else "name a folder that has a Chart.yaml, or a packaged chart",
        )
    if version is not None:
        raise InvalidInputError(
            "chart_version", version, "leave it out: a local chart has its own version"
        )
    return ChartSource(chart, None, None)


def _is_exact(version: object) -> bool:
    return isinstance(version, str) and _EXACT_VERSION.fullmatch(version) is not None


def _checked_repository(repository: str) -> str:
    expected = "use the address of a Helm repository, https://…"
    if not isinstance(repository, str):
        raise InvalidInputError("repository", repository, expected)
    try:
        parts = urlsplit(repository)
    except ValueError:
        raise InvalidInputError("repository", repository, expected) from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise InvalidInputError("repository", repository, expected)
    if parts.username is not None:
        # It would be in every message and diff that names the repository.
        raise InvalidInputError("repository", "…", "leave out user name and password")
    return repository
