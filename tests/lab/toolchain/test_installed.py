from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from lab.toolchain import Toolchain
from lab.toolchain.catalog import Installed, Tool
from lab.toolchain.installed import LAB_DIRECTORY_VARIABLE, find_installed
from tests.lab.toolchain.conftest import Machine

TOOL = Tool("tiny", "1.2.3", Installed(("version",), SpecifierSet(">=1.2,<2")))
PLUGIN = Tool("pulumi-resource-tiny", "1.2.3")


def install_plugin(home: Path, machine: Machine, version: str = "1.2.3") -> Path:
    folder = home / "plugins" / f"resource-tiny-v{version}"
    machine.install(PLUGIN.name, "", folder)
    return folder


def test_nothing_is_found_where_nothing_is(machine: Machine) -> None:
    assert find_installed(TOOL, machine.environment) is None
    assert find_installed(PLUGIN, machine.environment) is None


@pytest.mark.parametrize("says", ["v1.2.0", "Tiny Version: 1.9.9", "tiny 1.2.3 (go1.26.0)"])
def test_one_that_is_new_enough_will_do(machine: Machine, says: str) -> None:
    path = machine.install("tiny", says)
    found = find_installed(TOOL, machine.environment)
    assert found is not None
    assert (found.path, found.objection) == (path, "")
    assert found.version in says


@pytest.mark.parametrize("version", ["1.1.9", "0.9.0", "2.0.0"])
def test_one_of_another_version_is_objected_to(machine: Machine, version: str) -> None:
    machine.install("tiny", f"v{version}")
    found = find_installed(TOOL, machine.environment)
    assert found is not None
    assert found.version == version
    assert version in found.objection
    assert ">=1.2" in found.objection


def test_one_that_does_not_say_its_version_is_objected_to(machine: Machine) -> None:
    machine.install("tiny", "hello")
    found = find_installed(TOOL, machine.environment)
    assert found is not None
    assert found.objection == "does not say its version"


def test_one_that_cannot_be_run_is_objected_to(machine: Machine) -> None:
    machine.install("tiny", "").write_text("#!/nowhere/interpreter\n")
    found = find_installed(TOOL, machine.environment)
    assert found is not None
    assert found.objection == "does not say its version"


def test_a_version_managers_link_is_run_by_its_own_name(machine: Machine) -> None:
    manager = machine.install("manager", "", machine.root / "manager")
    manager.write_text("#!/bin/sh\ncase $0 in */tiny) echo 1.2.3;; *) echo 2026.1.0;; esac\n")
    (machine.path / "tiny").symlink_to(manager)
    found = find_installed(TOOL, machine.environment)
    assert found is not None
    assert (found.version, found.path) == ("1.2.3", machine.path / "tiny")


def test_the_place_of_pulumis_installer_is_looked_at(machine: Machine) -> None:
    path = machine.install("tiny", "v1.2.3", machine.home / ".pulumi" / "bin")
    found = find_installed(TOOL, machine.environment)
    assert found is not None
    assert found.path == path


@pytest.mark.parametrize("says", ["v1.1.0", "hello"])
def test_one_that_will_not_do_hides_none_that_will(machine: Machine, says: str) -> None:
    machine.install("tiny", says)
    elsewhere = machine.root / "elsewhere"
    second = machine.install("tiny", says, elsewhere)
    third = machine.install("tiny", "v1.2.3", machine.home / ".pulumi" / "bin")
    environment = {**machine.environment, "PATH": f"{machine.path}:{elsewhere}"}
    found = find_installed(TOOL, environment)
    assert found is not None
    assert (found.path, found.objection) == (third, "")
    second.write_text("#!/bin/sh\necho v1.2.9\n")
    found = find_installed(TOOL, environment)
    assert found is not None
    assert (found.path, found.version) == (second, "1.2.9")


def test_where_none_will_do_the_first_is_told(machine: Machine) -> None:
    first = machine.install("tiny", "v1.1.0")
    machine.install("tiny", "v1.0.0", machine.home / ".pulumi" / "bin")
    found = find_installed(TOOL, machine.environment)
    assert found is not None
    assert (found.path, found.version) == (first, "1.1.0")


def test_what_the_lab_put_on_the_path_is_not_installed(machine: Machine) -> None:
    machine.install("tiny", "v1.2.3")
    environment = {**machine.environment, LAB_DIRECTORY_VARIABLE: str(machine.root)}
    assert find_installed(TOOL, environment) is None
    elsewhere = {**machine.environment, LAB_DIRECTORY_VARIABLE: str(machine.home)}
    assert find_installed(TOOL, elsewhere) is not None


def test_a_plugin_of_the_very_version_will_do(machine: Machine) -> None:
    folder = install_plugin(machine.home / ".pulumi", machine)
    found = find_installed(PLUGIN, machine.environment)
    assert found is not None
    assert (found.path, found.version, found.objection) == (folder, "1.2.3", "")


def test_the_engines_home_goes_before_the_usual_one(machine: Machine) -> None:
    install_plugin(machine.home / ".pulumi", machine)
    folder = install_plugin(machine.root / "other", machine)
    environment = {**machine.environment, "PULUMI_HOME": str(machine.root / "other")}
    found = find_installed(PLUGIN, environment)
    assert found is not None
    assert found.path == folder


@pytest.mark.parametrize("version", ["1.2.2", "1.2.30", "1.2.3-alpha.1"])
def test_a_plugin_of_another_version_is_none(machine: Machine, version: str) -> None:
    install_plugin(machine.home / ".pulumi", machine, version)
    assert find_installed(PLUGIN, machine.environment) is None


def test_a_plugin_that_is_still_being_installed_is_none(machine: Machine) -> None:
    folder = install_plugin(machine.home / ".pulumi", machine)
    partial = folder.with_name(f"{folder.name}.partial")
    partial.touch()
    assert find_installed(PLUGIN, machine.environment) is None
    partial.unlink()
    (folder / PLUGIN.name).chmod(0o644)
    assert find_installed(PLUGIN, machine.environment) is None


def test_a_plugin_in_the_labs_own_home_is_none(machine: Machine) -> None:
    home = machine.root / "lab" / "pulumi-home"
    install_plugin(home, machine)
    environment = {**machine.environment, "PULUMI_HOME": str(home)}
    assert find_installed(PLUGIN, environment) is not None
    environment[LAB_DIRECTORY_VARIABLE] = str(machine.root / "lab")
    assert find_installed(PLUGIN, environment) is None


def test_where_only_a_static_one_will_do_others_are_objected_to(
    machine: Machine, toolchain: Toolchain
) -> None:
    pause = toolchain["pause"]
    installed = Installed(("--version",), SpecifierSet(f"=={pause.version}"), static=True)
    tool = Tool("pause", pause.version, installed)
    script = machine.install("pause", f"pause {pause.version}")
    found = find_installed(tool, machine.environment)
    assert found is not None
    assert (found.path, found.objection) == (script, "is not statically linked")
    environment = {**machine.environment, "PATH": f"{machine.path}:{pause.path.parent}"}
    found = find_installed(tool, environment)
    assert found is not None
    assert (found.path, found.objection) == (pause.path, "")
