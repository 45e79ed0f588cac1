"""The engine's home: launchers for what is the lab's own, links for all that is official."""

import errno
import os
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


@pytest.mark.parametrize("reason", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_an_engine_that_cannot_be_linked_to_is_copied(
    directory: LabDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    def refused(source: Path, destination: Path) -> None:
        raise OSError(reason, os.strerror(reason), source, None, destination)

    monkeypatch.setattr(os, "link", refused)
    prepare_home(directory, _tools(tmp_path / "built", Source.LAB, Source.BUILT))
    assert _run(directory.engine / "pulumi") == "pulumi"


def test_a_full_disk_is_not_taken_for_a_link_that_cannot_be(
    directory: LabDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(source: Path, destination: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), source, None, destination)

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(OSError, match="No space left"):
        prepare_home(directory, _tools(tmp_path / "built", Source.LAB, Source.BUILT))


def test_only_a_built_engine_is_linked_to(directory: LabDirectory, tmp_path: Path) -> None:
    """One that is installed may be replaced in place, and may be a link itself."""
    tools = _tools(tmp_path / "built", Source.LAB, Source.BUILT)
    engine = directory.engine / "pulumi"
    prepare_home(directory, tools)
    assert engine.samefile(tools["pulumi"].path)

    link = tmp_path / "pulumi"
    link.symlink_to(_executable(tmp_path / "installed", "pulumi"))
    tools["pulumi"] = PreparedTool("pulumi", "3.259.0", Source.INSTALLED, link)
    prepare_home(directory, tools)
    assert not engine.is_symlink()
    assert not engine.samefile(link)
    assert _run(engine) == "pulumi"


def test_a_launcher_runs_this_checkouts_module_with_this_python(
    directory: LabDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = _executable(tmp_path / "a place", "python")
    python.write_text('#!/bin/sh\necho "$PYTHONPATH" "$@"\n')
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PYTHONPATH", "/theirs")
    prepare_home(directory, _tools(tmp_path / "built", Source.LAB, Source.BUILT))
    launcher = directory.pulumi_home / "plugins" / "resource-vault-v7.14.0"
    assert _run(launcher / "pulumi-resource-vault") == f"{CHECKOUT} -P -m lab.plugins.vault"
    host = directory.engine / "pulumi-language-python"
    assert _run(host) == f"{CHECKOUT}:/theirs -P -m lab.plugins.language"


@pytest.mark.parametrize("has_helm", [True, False])
def test_the_kubernetes_plugin_is_told_where_helm_is(
    directory: LabDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_helm: bool
) -> None:
    python = _executable(tmp_path, "python")
    python.write_text('#!/bin/sh\necho "helm: $MESH_TRUST_HELM"\n')
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.delenv("MESH_TRUST_HELM", raising=False)
    tools = _tools(tmp_path / "built", Source.LAB, Source.BUILT)
    name = "pulumi-resource-kubernetes"
    tools[name] = PreparedTool(name, "4.34.2", Source.LAB, _executable(tmp_path, name))
    helm = _executable(tmp_path / "a place", "helm")
    if has_helm:
        tools["helm"] = PreparedTool("helm", "3.22.0", Source.BUILT, helm)

    prepare_home(directory, tools)

    plugins = directory.pulumi_home / "plugins"
    kubernetes = plugins / "resource-kubernetes-v4.34.2" / name
    vault = plugins / "resource-vault-v7.14.0" / "pulumi-resource-vault"
    assert _run(kubernetes) == (f"helm: {helm}" if has_helm else "helm:")
    assert _run(vault) == "helm:"


def test_a_plugin_does_not_import_from_the_programs_folder_nor_the_users_path(
    directory: LabDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "grpc.py").write_text("raise SystemExit('the wrong grpc')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    prepare_home(directory, _tools(tmp_path / "built", Source.LAB, Source.BUILT))
    launcher = directory.pulumi_home / "plugins" / "resource-vault-v7.14.0"
    with subprocess.Popen([launcher / "pulumi-resource-vault"], stdout=subprocess.PIPE) as plugin:
        assert plugin.stdout is not None
        port = plugin.stdout.readline()
        plugin.terminate()
    assert int(port) > 0


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
    engines_own = directory.pulumi_home / "plugins" / "resource-aws-v7.0.0"
    engines_own.mkdir()
    prepare_home(directory, _tools(tmp_path / "built", Source.LAB, Source.BUILT))
    assert not old.exists()
    assert engines_own.exists()


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
