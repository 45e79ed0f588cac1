"""The engine's home: launchers for what is the lab's own, links for all that is official."""

import subprocess
import sys
from pathlib import Path

import pytest

from lab.directory import CHECKOUT, LabDirectory
from lab.pulumi_home import all_official, prepare_home
from lab.toolchain import PreparedTool, Source


@pytest.fixture
def directory(tmp_path: Path) -> LabDirectory:
    directory = LabDirectory(tmp_path / "lab")
    directory.create()
    return directory


def _executable(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {name}\n")
    path.chmod(0o700)
    return path


def _tools(folder: Path, own: Source, built: Source) -> dict[str, PreparedTool]:
    """Plugins from `own` and `built`, the engine built; an installed plugin is a folder."""
    tools = {}
    for name, version, source in (
        ("pulumi", "3.259.0", built),
        ("pulumi-language-python", "3.259.0", own),
        ("pulumi-resource-vault", "7.14.0", own),
        ("pulumi-resource-tls", "5.6.2", built),
    ):
        path = _executable(folder / name, name)
        if source is Source.INSTALLED and name.startswith("pulumi-resource-"):
            path = path.parent
        tools[name] = PreparedTool(name, version, source, path)
    return tools


def _run(path: Path) -> str:
    return subprocess.run([path], capture_output=True, text=True, check=True).stdout.strip()


def test_official_parts_are_linked_to(directory: LabDirectory, tmp_path: Path) -> None:
    tools = _tools(tmp_path / "official", Source.INSTALLED, Source.INSTALLED)
    prepare_home(directory, tools)
    assert (directory.engine / "pulumi").resolve() == tools["pulumi"].path
    plugins = directory.pulumi_home / "plugins"
    assert _run(plugins / "resource-vault-v7.14.0" / "pulumi-resource-vault") == (
        "pulumi-resource-vault"
    )
    assert (plugins / "resource-tls-v5.6.2").is_symlink()
    assert all_official(tools)


def test_a_language_host_of_our_own_lies_beside_a_real_engine(
    directory: LabDirectory, tmp_path: Path
) -> None:
    tools = _tools(tmp_path / "built", Source.LAB, Source.BUILT)
    prepare_home(directory, tools)
    engine = directory.engine / "pulumi"
    assert not engine.is_symlink()
    assert _run(engine) == "pulumi"
    assert not all_official(tools)


def test_a_launcher_runs_this_checkouts_module_with_this_python(
    directory: LabDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = _executable(tmp_path / "a place", "python")
    python.write_text('#!/bin/sh\necho "$PYTHONPATH" "$@"\n')
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PYTHONPATH", "/theirs")
    prepare_home(directory, _tools(tmp_path / "built", Source.LAB, Source.BUILT))
    launcher = directory.pulumi_home / "plugins" / "resource-vault-v7.14.0"
    assert _run(launcher / "pulumi-resource-vault") == f"{CHECKOUT}:/theirs -m lab.plugins.vault"
    assert _run(directory.engine / "pulumi-language-python").endswith("-m lab.plugins.language")


def test_what_is_right_already_is_left_alone_and_what_changed_is_replaced(
    directory: LabDirectory, tmp_path: Path
) -> None:
    """An engine may be running from there."""
    built = _tools(tmp_path / "built", Source.LAB, Source.BUILT)
    places = (
        directory.engine / "pulumi",
        directory.engine / "pulumi-language-python",
        directory.pulumi_home / "plugins" / "resource-vault-v7.14.0" / "pulumi-resource-vault",
        directory.pulumi_home / "plugins" / "resource-tls-v5.6.2" / "pulumi-resource-tls",
    )
    prepare_home(directory, built)
    before = [place.lstat().st_ino for place in places]
    prepare_home(directory, built)
    assert [place.lstat().st_ino for place in places] == before

    official = _tools(tmp_path / "official", Source.INSTALLED, Source.INSTALLED)
    prepare_home(directory, official)
    assert [_run(place) for place in places] == [place.name for place in places]
    assert (directory.engine / "pulumi").resolve() == official["pulumi"].path
    prepare_home(directory, built)
    assert not (directory.engine / "pulumi").is_symlink()
    assert "lab.plugins.vault" in places[2].read_text()


def test_a_plugin_of_another_version_is_gone_after_the_next_start(
    directory: LabDirectory, tmp_path: Path
) -> None:
    prepare_home(directory, _tools(tmp_path / "built", Source.LAB, Source.BUILT))
    old = directory.pulumi_home / "plugins" / "resource-tls-v5.6.1"
    old.mkdir()
    prepare_home(directory, _tools(tmp_path / "built", Source.LAB, Source.BUILT))
    assert not old.exists()


def test_the_passphrase_stays_and_is_its_owners_only(
    directory: LabDirectory, tmp_path: Path
) -> None:
    tools = _tools(tmp_path / "built", Source.LAB, Source.BUILT)
    prepare_home(directory, tools)
    first = directory.passphrase.read_text()
    prepare_home(directory, tools)
    assert directory.passphrase.read_text() == first
    assert len(first) >= 32
    assert directory.passphrase.stat().st_mode & 0o777 == 0o600
