from pathlib import Path
from typing import Any

import pytest

from mesh_trust import InvalidInputError
from mesh_trust.chart_source import ChartSource, chart_source

REPOSITORY = "https://charts.example.com"
DEFAULT = ChartSource("vault", REPOSITORY, "1.2.3")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "charts" / "ours").mkdir(parents=True)
    (tmp_path / "charts" / "ours" / "Chart.yaml").touch()
    (tmp_path / "charts" / "empty").mkdir()
    (tmp_path / "charts" / "ours-1.0.0.tgz").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def source(chart: Any = None, repository: Any = None, version: Any = None) -> ChartSource:
    return chart_source(chart, repository, version, default=DEFAULT)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), DEFAULT),
        (("other",), ChartSource("other", REPOSITORY, "1.2.3")),
        ((None, "http://mirror:80/vault"), ChartSource("vault", "http://mirror:80/vault", "1.2.3")),
        ((None, None, "v2.0.0-rc.1+build"), ChartSource("vault", REPOSITORY, "v2.0.0-rc.1+build")),
        (("oci://r/vault",), ChartSource("oci://r/vault", None, "1.2.3")),
        (("oci://r/vault", None, "2.0.0"), ChartSource("oci://r/vault", None, "2.0.0")),
        (("./charts/ours",), ChartSource("./charts/ours", None, None)),
        (("charts/ours",), ChartSource("charts/ours", None, None)),
        (("charts/ours-1.0.0.tgz",), ChartSource("charts/ours-1.0.0.tgz", None, None)),
    ],
)
def test_what_helm_is_told(arguments: tuple[Any, ...], expected: ChartSource) -> None:
    assert source(*arguments) == expected


def test_an_absolute_path(folder: Path) -> None:
    chart = str(folder / "charts" / "ours")
    assert source(chart) == ChartSource(chart, None, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("",), "^chart: '' "),
        ((7,), "^chart: 7 "),
        (("./charts/absent",), r"^chart: '\./charts/absent' .*name a folder below /.*Chart\.yaml"),
        (("/absent",), r"^chart: '/absent' .*name a folder that has a Chart\.yaml"),
        (("charts/empty",), "^chart: 'charts/empty' "),
        (("~/vault",), "^chart: '~/vault' "),
        (("./charts/ours", "https://charts"), "^repository: .*leave it out"),
        (("oci://r/vault", "https://charts"), "^repository: .*leave it out"),
        (("./charts/ours", None, "1.0.0"), "^chart_version: .*a local chart has its own"),
        ((None, "charts.example.com"), "^repository: 'charts.example.com' "),
        ((None, "oci://charts"), "^repository: 'oci://charts' "),
        ((None, "https://"), "^repository: 'https://' "),
        ((None, "https://[1"), "^repository: "),
        ((None, 7), "^repository: 7 "),
        ((None, None, "1.2"), "^chart_version: '1.2' .*exact"),
        ((None, None, ">1.2.3"), "^chart_version: '>1.2.3' "),
        ((None, None, "1.2.3 "), "^chart_version: '1.2.3 ' "),
        ((None, None, 0.34), "^chart_version: 0.34 "),
        ((None, None, ""), "^chart_version: '' "),
    ],
)
def test_what_helm_could_not_find_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        source(*arguments)


def test_a_password_in_the_repository_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidInputError, match=r"^repository: ") as refused:
        source(None, "https://me:hush@charts.example.com")
    assert "hush" not in str(refused.value)
