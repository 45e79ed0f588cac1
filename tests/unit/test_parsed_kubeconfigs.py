"""A kubeconfig is parsed once for all of its contexts, and anew when it has changed."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.config import ConfigException

from mesh_trust.client_configuration import client_configuration
from mesh_trust.cluster_errors import UnusableAccessError
from mesh_trust.parsed_kubeconfigs import parsed_kubeconfig


def document(host: str, *contexts: str) -> dict[str, Any]:
    return {
        "clusters": [{"name": each, "cluster": {"server": host}} for each in contexts],
        "users": [{"name": each, "user": {"token": each}} for each in contexts],
        "contexts": [{"name": it, "context": {"cluster": it, "user": it}} for it in contexts],
    }


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A note of each parsing."""
    noted: list[str] = []
    load = yaml.safe_load

    def noting(stream: Any) -> Any:
        noted.append(getattr(stream, "name", "text"))
        return load(stream)

    monkeypatch.setattr(yaml, "safe_load", noting)
    return noted


def test_many_clusters_have_it_parsed_once(tmp_path: Path, loads: list[str]) -> None:
    path = tmp_path / "kubeconfig"
    names = [f"c{number}" for number in range(8)]
    path.write_text(yaml.safe_dump(document("https://one:6443", *names)))
    with ThreadPoolExecutor(len(names)) as threads:
        found = list(threads.map(lambda each: client_configuration(str(path), each), names))
    assert loads == [str(path)]
    assert [[*each.api_key.values()] for each in found] == [[f"Bearer {it}"] for it in names]


def test_a_changed_file_is_parsed_anew(tmp_path: Path, loads: list[str]) -> None:
    path = tmp_path / "kubeconfig"
    for host in ("https://one:6443", "https://two:6443", "https://six:6443"):
        path.write_text(yaml.safe_dump(document(host, "a")))
        # A second write within the clock's resolution is told by the time alone.
        os.utime(path, ns=(0, len(loads)))
        assert client_configuration(str(path), "a").host == host
    assert len(loads) == 3


def test_who_changes_what_was_parsed_changes_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(document("https://one:6443", "a")))
    parsed_kubeconfig(str(path)).value["users"].clear()
    assert len(parsed_kubeconfig(str(path)).value["users"]) == 1


def test_several_files_are_one(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one", "other")]
    for path in paths:
        path.write_text(yaml.safe_dump(document(f"https://{path.name}:6443", path.name)))
    together = os.pathsep.join(map(str, paths))
    assert client_configuration(together, "other").host == "https://other:6443"
    assert client_configuration(together, "one").host == "https://one:6443"


def test_what_is_not_there_is_refused_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    with pytest.raises(ConfigException, match="No configuration found"):
        parsed_kubeconfig(str(path))
    with pytest.raises(UnusableAccessError):
        client_configuration(str(path), "a")
    path.write_text(yaml.safe_dump(document("https://one:6443", "a")))
    assert client_configuration(str(path), "a").host == "https://one:6443"
