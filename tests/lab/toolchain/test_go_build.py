import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lab.toolchain import ToolchainError
from lab.toolchain.catalog import GoBuild
from lab.toolchain.go_build import Go, content_key, find_go, go_build
from tests.lab.toolchain.conftest import Machine


@pytest.fixture
def build(machine: Machine) -> GoBuild:
    return GoBuild(machine.module(), ".", {"main.version": "1.2.3"})


@pytest.fixture
def environment(machine: Machine, real_go_environment: Mapping[str, str]) -> dict[str, str]:
    """The machine's, with the real Go."""
    return {**machine.environment, **real_go_environment}


def run_build(
    build: GoBuild, environment: Mapping[str, str], folder: Path, steps: list[str] | None = None
) -> Path:
    go = find_go(environment, "tiny")
    executable = folder / "tiny"
    told = [] if steps is None else steps
    go_build(build, go, executable, folder / "log" / "tiny.log", environment, told.append)
    return executable


class TestFindGo:
    @pytest.mark.parametrize("version", ["go1.26.0", "go1.26", "go1.27rc1", "go1.30.2-custom"])
    def test_one_that_is_new_enough_is_found(self, machine: Machine, version: str) -> None:
        machine.install_go(version=version)
        go = find_go(machine.environment, "tiny")
        assert go == Go(machine.path / "go", f"{version} linux/amd64")

    @pytest.mark.parametrize("version", ["go1.25.9", "go1.3", "go0.99"])
    def test_one_that_is_too_old_is_one_clear_line(self, machine: Machine, version: str) -> None:
        machine.install_go(version=version)
        with pytest.raises(ToolchainError) as refusal:
            find_go(machine.environment, "tiny")
        message = str(refusal.value)
        assert "\n" not in message
        for said in ("tiny", "1.26", f"{machine.path / 'go'} is {version[2:]}", "install"):
            assert said in message

    def test_a_missing_one_is_one_clear_line(self, machine: Machine) -> None:
        with pytest.raises(ToolchainError) as refusal:
            find_go(machine.environment, "tiny")
        message = str(refusal.value)
        assert "\n" not in message
        for said in ("tiny", "1.26", "no `go` on PATH", "install"):
            assert said in message

    def test_one_that_says_no_version_is_refused(self, machine: Machine) -> None:
        machine.install("go", "hello")
        with pytest.raises(ToolchainError, match="does not say its version"):
            find_go(machine.environment, "tiny")

    def test_its_usual_place_is_looked_at_last(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usual = machine.install("go", "go version go1.26.1 linux/amd64", machine.root / "usual")
        monkeypatch.setattr("lab.toolchain.go_build._USUAL_FOLDER", usual.parent)
        assert find_go(machine.environment, "tiny").executable == usual
        machine.install_go()
        assert find_go(machine.environment, "tiny").executable == machine.path / "go"

    @pytest.mark.parametrize("fault", ["old", "silent", "broken", "hanging"])
    def test_one_that_will_not_do_hides_none_that_will(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch, fault: str
    ) -> None:
        monkeypatch.setattr("lab.toolchain.go_build._VERSION_TIMEOUT_SECONDS", 0.5)
        first = machine.install("go", "go version go1.19.8 linux/amd64" if fault == "old" else "")
        if fault == "broken":
            first.write_text("#!/nowhere/interpreter\n")
        elif fault == "hanging":
            first.write_text("#!/bin/sh\nexec sleep 60\n")
        good = machine.install("go", "go version go1.26.1 linux/amd64", machine.root / "good")
        path = f"{machine.path}:{good.parent}:/usr/bin:/bin"
        assert find_go({**machine.environment, "PATH": path}, "tiny").executable == good

    def test_the_newest_of_those_that_are_too_old_is_named(self, machine: Machine) -> None:
        machine.install_go(version="go1.19.8")
        newer = machine.install("go", "go version go1.25.1 linux/amd64", machine.root / "newer")
        path = f"{machine.path}:{newer.parent}"
        with pytest.raises(ToolchainError, match=f"{newer} is 1.25.1"):
            find_go({**machine.environment, "PATH": path}, "tiny")


class TestContentKey:
    def test_it_is_the_same_in_another_clone(self, build: GoBuild, machine: Machine) -> None:
        clone = machine.root / "clone"
        shutil.copytree(build.module, clone)
        assert content_key(replace(build, module=clone)) == content_key(build)

    @pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go"])
    def test_every_file_counts(self, build: GoBuild, name: str) -> None:
        before = content_key(build)
        with (build.module / name).open("a") as file:
            file.write("// more\n")
        assert content_key(build) != before

    def test_what_is_no_source_does_not_count(self, build: GoBuild) -> None:
        before = content_key(build)
        (build.module / "main.go~").touch()
        (build.module / ".main.go.swp").touch()
        (build.module / ".#main.go").symlink_to("somebody@somewhere")
        (build.module / ".idea").mkdir()
        (build.module / ".idea" / "workspace.xml").touch()
        assert content_key(build) == before

    def test_sources_in_folders_count(self, build: GoBuild) -> None:
        keys = {content_key(build)}
        for folder in ("one", "other"):
            (build.module / folder).mkdir()
            (build.module / folder / "part.go").write_text("package part\n")
            keys.add(content_key(build))
        assert len(keys) == 3

    def test_what_and_how_is_built_counts(
        self, build: GoBuild, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = [
            content_key(build),
            content_key(replace(build, package="./other")),
            content_key(replace(build, stamps={"main.version": "1.2.4"})),
            content_key(replace(build, stamps={})),
        ]
        for name in ("OS", "ARCHITECTURE"):
            monkeypatch.setattr(f"lab.toolchain.go_build.{name}", "other")
            keys.append(content_key(build))
        assert len(set(keys)) == len(keys)


class TestGoBuild:
    def test_the_executable_says_its_version(
        self, build: GoBuild, environment: dict[str, str], tmp_path: Path
    ) -> None:
        executable = run_build(build, environment, tmp_path)
        answer = subprocess.run([executable], capture_output=True, text=True, check=True)
        assert answer.stderr == "tiny 1.2.3\n"

    def test_its_steps_are_told_and_all_of_it_is_in_the_log(
        self, build: GoBuild, machine: Machine, tmp_path: Path
    ) -> None:
        said = "go: downloading example.com/x v1.0.0\nexample.com/x\ntiny\n"
        machine.install_go(f"print({said!r}, end='')")
        steps: list[str] = []
        run_build(build, machine.environment, tmp_path, steps)
        assert steps == [
            "starting Go",
            "downloading modules",
            "compiling, 1 packages",
            "compiling, 2 packages",
        ]
        log = (tmp_path / "log" / "tiny.log").read_text()
        assert log == f"go1.26.0 linux/amd64\n{said}"

    def test_another_clone_builds_the_very_same(
        self, build: GoBuild, environment: dict[str, str], machine: Machine
    ) -> None:
        clone = machine.root / "clone"
        shutil.copytree(build.module, clone)
        outputs = []
        for module in (build.module, clone):
            folder = machine.root / f"out-{module.name}"
            folder.mkdir()
            built = run_build(replace(build, module=module), environment, folder)
            outputs.append(built.read_bytes())
        assert outputs[0] == outputs[1]
        assert str(machine.root).encode() not in outputs[0]

    def test_a_compilers_complaint_is_in_the_message_and_the_log(
        self, build: GoBuild, environment: dict[str, str], tmp_path: Path
    ) -> None:
        source = build.module / "main.go"
        source.write_text(source.read_text().replace("version)", "versoin)"))
        with pytest.raises(ToolchainError) as failure:
            run_build(build, environment, tmp_path)
        log = tmp_path / "log" / "tiny.log"
        assert str(failure.value).startswith("building tiny failed")
        assert "undefined: versoin" in str(failure.value)
        assert str(log) in str(failure.value)
        assert "undefined: versoin" in log.read_text()

    def test_the_pins_are_never_changed(
        self, build: GoBuild, environment: dict[str, str], machine: Machine, tmp_path: Path
    ) -> None:
        dependency = machine.root / "dependency"
        dependency.mkdir()
        (dependency / "go.mod").write_text("module example.com/x\n\ngo 1.26\n")
        (dependency / "x.go").write_text("package x\n")
        source = build.module / "main.go"
        source.write_text(
            source.read_text().replace("package main", 'package main\n\nimport _ "example.com/x"')
        )
        # It is to be had, but not pinned: a build that may change go.mod would add it there.
        with (build.module / "go.mod").open("a") as pins:
            pins.write("\nreplace example.com/x => ../dependency\n")
        before = {path.name: path.read_bytes() for path in build.module.iterdir()}
        loose = {**environment, "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
        with pytest.raises(ToolchainError, match=r"example\.com/x"):
            run_build(build, loose, tmp_path)
        assert {path.name: path.read_bytes() for path in build.module.iterdir()} == before

    def test_the_users_own_go_settings_do_not_show(
        self, build: GoBuild, environment: dict[str, str], machine: Machine
    ) -> None:
        (machine.root / "go.work").write_text("go 1.26\n")
        odd = {
            "GOWORK": str(machine.root / "go.work"),
            "GOFLAGS": "-tags=odd",
            "CGO_ENABLED": "1",
            "GOOS": "plan9",
            "GOARCH": "386",
        }
        written = machine.root / "written-by-go-env"
        written.write_text(
            "GOFLAGS=-tags=odd\nGOOS=plan9\nGOARCH=386\nGOAMD64=v3\nGOFIPS140=latest\n"
        )
        for name in ("plain", "odd", "written"):
            (machine.root / name).mkdir()
        plain = run_build(build, environment, machine.root / "plain").read_bytes()
        for name, variables in (("odd", odd), ("written", {"GOENV": str(written)})):
            executable = run_build(build, {**environment, **variables}, machine.root / name)
            assert executable.read_bytes() == plain

    def test_without_a_home_in_the_environment_it_is_the_users(
        self, build: GoBuild, environment: dict[str, str], machine: Machine
    ) -> None:
        del environment["HOME"], environment["GOPATH"]
        odd = {**environment, "XDG_CACHE_HOME": "relative"}
        assert run_build(build, odd, machine.root).exists()
        machine.install_go("import os\nprint(os.environ['HOME'], 'XDG_CACHE_HOME' in os.environ)")
        steps: list[str] = []
        run_build(build, {**odd, "PATH": str(machine.path)}, machine.root, steps)
        log = (machine.root / "log" / "tiny.log").read_text()
        assert log.splitlines()[1] == f"{Path(pwd.getpwuid(os.getuid()).pw_dir)} False"
