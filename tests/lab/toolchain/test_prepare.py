import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from packaging.specifiers import SpecifierSet
from rich.console import Console

from lab.toolchain import Source, Toolchain, ToolchainError, prepare
from lab.toolchain.catalog import ENGINE, LANGUAGE_HOST, Installed, ModuleFiles, Tool
from tests.lab.toolchain.conftest import BUILT_PROGRAM, Machine
from tests.lab.toolchain.releases import PROGRAM, Publisher, tar_of

CHECKOUT = Path(__file__).parents[3]
DEADLINE_SECONDS = 20
ACCEPTED = Installed(("version",), SpecifierSet(">=1.2,<2"))

Offer = Callable[..., None]


def prepared() -> Toolchain:
    return prepare(Console(file=io.StringIO()))


def start(machine: Machine) -> subprocess.Popen[str]:
    """Starts another run that builds the tool `tiny`, leader of its own process group."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lab.toolchain.preparation", machine.module()],
        cwd=CHECKOUT,
        env=machine.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestOrder:
    def everywhere(self, machine: Machine, publisher: Publisher) -> Tool:
        """A tool that can be had in every way, and is installed."""
        machine.install("tiny", "v1.2.0")
        machine.install_go()
        return replace(
            machine.built_tool(), installed=ACCEPTED, download=publisher.publish("tiny", PROGRAM)
        )

    def test_what_is_installed_goes_before_all_else(
        self, machine: Machine, publisher: Publisher, offer: Offer
    ) -> None:
        offer(self.everywhere(machine, publisher))
        tool = prepared()["tiny"]
        assert (tool.version, tool.source) == ("1.2.0", Source.INSTALLED)
        assert tool.path == machine.path / "tiny"
        assert (publisher.asked, machine.builds) == ([], 0)

    def test_a_too_old_one_is_passed_over_and_that_is_said(
        self, machine: Machine, publisher: Publisher, offer: Offer
    ) -> None:
        offer(self.everywhere(machine, publisher))
        old = machine.install("tiny", "v1.1.0")
        tool = prepared()["tiny"]
        assert (tool.version, tool.source) == ("1.2.3", Source.DOWNLOADED)
        assert tool.path.read_bytes() == PROGRAM
        assert os.access(tool.path, os.X_OK)
        assert len(tool.notes) == 1
        assert str(old) in tool.notes[0]
        assert "1.1.0" in tool.notes[0]
        assert machine.builds == 0

    def test_offline_no_host_is_asked(
        self,
        machine: Machine,
        publisher: Publisher,
        offer: Offer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        offer(replace(self.everywhere(machine, publisher), installed=None))
        monkeypatch.setenv("MESH_TRUST_OFFLINE", "1")
        tool = prepared()["tiny"]
        assert (tool.version, tool.source) == ("1.2.3", Source.BUILT)
        assert tool.path.read_text() == BUILT_PROGRAM
        assert publisher.asked == []

    @pytest.mark.parametrize("path", ["/SHA256SUMS", "/tiny"])
    def test_what_cannot_be_downloaded_is_built_and_that_is_said(
        self, machine: Machine, publisher: Publisher, offer: Offer, path: str
    ) -> None:
        offer(replace(self.everywhere(machine, publisher), installed=None))
        publisher.broken.add(path)
        tool = prepared()["tiny"]
        assert tool.source is Source.BUILT
        assert len(tool.notes) == 1
        assert "no download" in tool.notes[0]
        assert str(publisher.address.removeprefix("http://")) in tool.notes[0]

    def test_a_download_that_is_not_as_published_is_never_used(
        self, machine: Machine, publisher: Publisher, offer: Offer
    ) -> None:
        offer(replace(self.everywhere(machine, publisher), installed=None, build=None))
        publisher.files["/tiny"] = PROGRAM + b"exit 1\n"
        for _ in range(2):
            with pytest.raises(ToolchainError, match="SHA-256"):
                prepared()

    def test_a_download_is_made_once(
        self, machine: Machine, publisher: Publisher, offer: Offer
    ) -> None:
        offer(replace(self.everywhere(machine, publisher), installed=None))
        first = prepared()["tiny"].path
        asked = list(publisher.asked)
        assert prepared()["tiny"].path == first
        assert publisher.asked == asked

    def test_the_labs_own_comes_last(self, machine: Machine, offer: Offer) -> None:
        offer(Tool("tiny", "1.2.3", own=machine.home))
        tool = prepared()["tiny"]
        assert (tool.source, tool.path) == (Source.LAB, machine.home)

    @pytest.mark.usefixtures("machine")
    def test_what_cannot_be_had_is_one_clear_line(self, publisher: Publisher, offer: Offer) -> None:
        download = publisher.publish("tiny", PROGRAM)
        del publisher.files["/tiny"]
        offer(Tool("tiny", "1.2.3", download=download))
        with pytest.raises(ToolchainError, match=r"tiny cannot be had here: no download: .* 404$"):
            prepared()

    def test_go_is_not_needed_where_nothing_has_to_be_built(
        self, machine: Machine, publisher: Publisher, offer: Offer
    ) -> None:
        offer(self.everywhere(machine, publisher))
        (machine.path / "go").unlink()
        assert prepared()["tiny"].source is Source.INSTALLED
        offer(machine.built_tool())
        with pytest.raises(ToolchainError, match="tiny has to be built, which needs Go"):
            prepared()

    def test_only_what_is_asked_for_is_prepared(self, machine: Machine, offer: Offer) -> None:
        offer(Tool("one", "1.0.0", own=machine.home), Tool("two", "1.0.0"))
        assert list(prepare(Console(file=io.StringIO()), ["one"])) == ["one"]
        with pytest.raises(ToolchainError, match="no tool is named tow; there are one, two"):
            prepare(Console(file=io.StringIO()), ["one", "tow"])


class TestPluginsAndTheEngine:
    def test_a_plugin_is_its_folder(
        self, machine: Machine, publisher: Publisher, offer: Offer
    ) -> None:
        name = "pulumi-resource-tiny"
        archive = tar_of({name: PROGRAM, "README.md": b"read"})
        plugin = Tool(name, "1.2.3", download=publisher.publish("tiny.tar.gz", archive, name))
        offer(plugin)
        downloaded = prepared()[name]
        assert downloaded.source is Source.DOWNLOADED
        assert (downloaded.path / name).read_bytes() == PROGRAM
        folder = machine.home / ".pulumi" / "plugins" / "resource-tiny-v1.2.3"
        machine.install(name, "", folder)
        installed = prepared()[name]
        assert (installed.source, installed.path) == (Source.INSTALLED, folder)

    @pytest.fixture
    def engine_and_host(self, machine: Machine, offer: Offer) -> tuple[Tool, Tool]:
        machine.install_go()
        engine = replace(machine.built_tool(ENGINE), installed=ACCEPTED)
        host = Tool(LANGUAGE_HOST, "1.2.3", own=machine.home)
        offer(engine, host)
        return engine, host

    @pytest.mark.usefixtures("engine_and_host")
    def test_our_language_host_goes_with_an_engine_that_we_built(self, machine: Machine) -> None:
        # An official language host alone is of no known version.
        machine.install(LANGUAGE_HOST, "")
        tools = prepared()
        assert tools[ENGINE].source is Source.BUILT
        assert (tools[LANGUAGE_HOST].source, tools[LANGUAGE_HOST].path) == (
            Source.LAB,
            machine.home,
        )

    @pytest.mark.usefixtures("engine_and_host")
    def test_an_installed_engine_brings_its_own(self, machine: Machine) -> None:
        machine.install(ENGINE, "v1.2.9")
        path = machine.install(LANGUAGE_HOST, "")
        host = prepared()[LANGUAGE_HOST]
        assert (host.source, host.path, host.version) == (Source.INSTALLED, path, "1.2.9")

    @pytest.mark.usefixtures("engine_and_host")
    def test_a_linked_engine_has_it_beside_the_real_one(self, machine: Machine) -> None:
        real = machine.install(ENGINE, "v1.2.9", machine.root / "opt")
        path = machine.install(LANGUAGE_HOST, "", machine.root / "opt")
        (machine.path / ENGINE).symlink_to(real)
        host = prepared()[LANGUAGE_HOST]
        assert (host.source, host.path) == (Source.INSTALLED, path)

    def test_a_downloaded_engine_brings_its_own(
        self, engine_and_host: tuple[Tool, Tool], publisher: Publisher, offer: Offer
    ) -> None:
        engine, host = engine_and_host
        archive = tar_of({f"p/{ENGINE}": PROGRAM, f"p/{LANGUAGE_HOST}": PROGRAM})
        download = publisher.publish("p.tar.gz", archive, f"p/{ENGINE}")
        offer(replace(engine, download=download), host)
        tools = prepared()
        assert tools[LANGUAGE_HOST].source is Source.DOWNLOADED
        assert tools[LANGUAGE_HOST].path == tools[ENGINE].path.with_name(LANGUAGE_HOST)

    @pytest.mark.usefixtures("engine_and_host")
    def test_the_language_host_alone_is_of_its_engine(self) -> None:
        tools = prepare(Console(file=io.StringIO()), [LANGUAGE_HOST])
        assert set(tools) == {ENGINE, LANGUAGE_HOST}


class TestCache:
    def test_what_was_built_is_not_built_again(self, machine: Machine, offer: Offer) -> None:
        machine.install_go()
        offer(machine.built_tool())
        assert prepared()["tiny"].path == prepared()["tiny"].path
        assert machine.builds == 1

    def test_a_build_is_taken_without_go_and_without_asking_a_host(
        self, machine: Machine, publisher: Publisher, offer: Offer
    ) -> None:
        download = publisher.publish("tiny", PROGRAM)
        publisher.broken.add("/SHA256SUMS")
        machine.install_go()
        offer(replace(machine.built_tool(), download=download))
        first = prepared()["tiny"].path
        asked = list(publisher.asked)
        (machine.path / "go").unlink()
        again = prepared()["tiny"]
        assert (again.path, again.source, again.notes) == (first, Source.BUILT, ())
        assert publisher.asked == asked

    def test_an_upgrade_of_go_builds_nothing(self, machine: Machine, offer: Offer) -> None:
        machine.install_go()
        offer(machine.built_tool())
        first = prepared()["tiny"].path
        machine.install_go(version="go1.26.1")
        assert prepared()["tiny"].path == first
        assert machine.builds == 1

    def test_offline_an_earlier_download_is_taken(
        self,
        machine: Machine,
        publisher: Publisher,
        offer: Offer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        offer(replace(machine.built_tool(), download=publisher.publish("tiny", PROGRAM)))
        first = prepared()["tiny"].path
        monkeypatch.setenv("MESH_TRUST_OFFLINE", "1")
        again = prepared()["tiny"]
        assert (again.path, again.source) == (first, Source.DOWNLOADED)

    def test_each_build_has_a_log_of_its_own(self, machine: Machine, offer: Offer) -> None:
        machine.install_go()
        offer(machine.built_tool())
        prepared()
        (machine.module() / "go.sum").write_text("another pin\n")
        prepared()
        assert len(list((machine.cache / "log").iterdir())) == 2

    def test_a_cache_that_cannot_be_made_is_one_clear_line(
        self, machine: Machine, offer: Offer
    ) -> None:
        machine.install_go()
        offer(machine.built_tool())
        machine.cache.parents[1].touch()
        with pytest.raises(ToolchainError, match="tiny cannot be put into the cache") as failure:
            prepared()
        assert "\n" not in str(failure.value)
        assert str(machine.cache) in str(failure.value)

    def test_a_full_disk_is_one_clear_line(
        self, machine: Machine, offer: Offer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        machine.install_go()
        offer(machine.built_tool())
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            with pytest.raises(ToolchainError, match="No space left on device") as failure:
                prepared()
        assert "\n" not in str(failure.value)
        assert prepared()["tiny"].path.read_text() == BUILT_PROGRAM

    def test_a_second_clone_builds_nothing(self, machine: Machine, offer: Offer) -> None:
        machine.install_go()
        offer(machine.built_tool())
        first = prepared()["tiny"].path
        offer(machine.built_tool(module="another-clone"))
        assert prepared()["tiny"].path == first
        assert machine.builds == 1

    def test_changed_sources_are_built_beside_the_former(
        self, machine: Machine, offer: Offer
    ) -> None:
        machine.install_go()
        offer(machine.built_tool())
        first = prepared()["tiny"].path
        (machine.module() / "go.sum").write_text("another pin\n")
        second = prepared()["tiny"].path
        assert first != second
        assert first.exists()
        assert machine.builds == 2

    @pytest.mark.parametrize("damage", ["truncated", "gone"])
    def test_a_damaged_executable_is_built_again(
        self, machine: Machine, offer: Offer, damage: str
    ) -> None:
        machine.install_go()
        offer(machine.built_tool())
        path = prepared()["tiny"].path
        if damage == "truncated":
            path.write_text(BUILT_PROGRAM[:-3])
        else:
            path.unlink()
        assert prepared()["tiny"].path.read_text() == BUILT_PROGRAM
        assert machine.builds == 2

    def test_a_failed_build_leaves_nothing_to_be_taken(
        self, machine: Machine, offer: Offer
    ) -> None:
        machine.install_go("executable.write_text('half')\nprint('no space')\nsys.exit(1)")
        offer(machine.built_tool())
        with pytest.raises(ToolchainError, match="no space"):
            prepared()
        machine.install_go()
        assert prepared()["tiny"].path.read_text() == BUILT_PROGRAM


class TestSeveralRuns:
    def test_a_killed_build_is_done_again_and_its_half_is_never_taken(
        self, machine: Machine
    ) -> None:
        machine.install_go("executable.write_text('half')\ntime.sleep(60)")
        with start(machine) as killed:
            wait_until(lambda: any(machine.cache.rglob(".partial-*/tiny")))
            os.killpg(killed.pid, signal.SIGKILL)
        machine.install_go()
        with start(machine) as second:
            path, complaints = second.communicate(timeout=DEADLINE_SECONDS)
        assert second.returncode == 0, complaints
        assert Path(path.strip()).read_text() == BUILT_PROGRAM
        assert not list(machine.cache.rglob(".partial-*"))

    def test_an_interrupt_ends_go_and_leaves_nothing_half(self, machine: Machine) -> None:
        pid_file = machine.root / "go-pid"
        machine.install_go(
            "import os, signal\n"
            # Go started from a terminal gets the interrupt itself; here only its parent does.
            "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "executable.write_text('half')\n"
            f"Path({str(pid_file)!r}).write_text(str(os.getpid()))\n"
            "time.sleep(60)"
        )
        with start(machine) as interrupted:
            wait_until(lambda: pid_file.exists() and bool(pid_file.read_text()))
            interrupted.send_signal(signal.SIGINT)
            interrupted.communicate(timeout=DEADLINE_SECONDS)
        assert interrupted.returncode != 0
        assert not list(machine.cache.rglob(".partial-*"))
        assert not psutil.pid_exists(int(pid_file.read_text()))

    def test_the_second_of_two_waits_and_says_so(self, machine: Machine) -> None:
        go_on = machine.root / "go-on"
        machine.install_go(
            f"while not Path({str(go_on)!r}).exists(): time.sleep(0.02)\n"
            f"executable.write_text({BUILT_PROGRAM!r})\n"
            "executable.chmod(0o755)"
        )
        with start(machine) as first:
            wait_until(lambda: machine.builds == 1)
            with start(machine) as second:
                assert second.stderr is not None
                said = second.stderr.readline()
                go_on.touch()
                paths = {run.communicate(timeout=DEADLINE_SECONDS)[0] for run in (first, second)}
        assert said.startswith("tiny: waiting for another run")
        assert (first.returncode, second.returncode) == (0, 0)
        assert len(paths) == 1
        assert machine.builds == 1

    def test_the_second_builds_it_where_the_first_failed(self, machine: Machine) -> None:
        go_on = machine.root / "go-on"
        machine.install_go(
            f"while not Path({str(go_on)!r}).exists(): time.sleep(0.02)\nsys.exit(1)"
        )
        with start(machine) as first:
            wait_until(lambda: machine.builds == 1)
            machine.install_go()
            with start(machine) as second:
                assert second.stderr is not None
                second.stderr.readline()
                go_on.touch()
                first.communicate(timeout=DEADLINE_SECONDS)
                path, _ = second.communicate(timeout=DEADLINE_SECONDS)
        assert (first.returncode, second.returncode) == (1, 0)
        assert Path(path.strip()).read_text() == BUILT_PROGRAM
        assert machine.builds == 2


class TestFilesOfAModule:
    """With a stand-in for Go that has downloaded the module; `test_catalog` has the real one."""

    @pytest.fixture
    def files(self, machine: Machine) -> ModuleFiles:
        published = machine.root / "published"
        (published / "charts" / "tiny").mkdir(parents=True)
        (published / "charts" / "tiny" / "Chart.yaml").write_text("name: tiny\n")
        (published / "all.yaml").write_text("all: of them\n")
        # As Go keeps what it has downloaded.
        (published / "charts" / "tiny" / "Chart.yaml").chmod(0o444)
        (published / "charts" / "tiny").chmod(0o555)
        go = machine.install("go", "go version go1.26.0 linux/amd64")
        answer = json.dumps({"Dir": str(published)})
        go.write_text(
            "#!/bin/sh\n"
            '[ "$1" = version ] && { echo go version go1.26.0 linux/amd64; exit; }\n'
            f'echo "$*" >> {machine.root}/go-calls\n'
            f"echo '{answer}'\n"
        )
        return ModuleFiles(machine.module(), "example.com/tiny", ("charts/tiny", "all.yaml"))

    def test_they_are_a_folder(self, files: ModuleFiles, machine: Machine, offer: Offer) -> None:
        offer(Tool("tiny-files", "1.2.3", files=files))
        found = prepared()["tiny-files"]
        assert (found.version, found.source) == ("1.2.3", Source.MODULE)
        assert (found.path / "tiny" / "Chart.yaml").read_text() == "name: tiny\n"
        assert (found.path / "all.yaml").read_text() == "all: of them\n"
        assert (machine.root / "go-calls").read_text() == "mod download -json example.com/tiny\n"
        # Not as Go keeps them: an entry of the cache can be removed.
        assert (found.path / "tiny").stat().st_mode & 0o777 == 0o755

    def test_they_are_copied_once_and_anew_when_the_pins_change(
        self, files: ModuleFiles, machine: Machine, offer: Offer
    ) -> None:
        offer(Tool("tiny-files", "1.2.3", files=files))
        first = prepared()["tiny-files"].path
        assert prepared()["tiny-files"].path == first
        assert machine.builds == 1
        (files.pins / "go.sum").write_text("another pin\n")
        assert prepared()["tiny-files"].path != first

    def test_what_is_not_there_is_one_clear_line(self, files: ModuleFiles, offer: Offer) -> None:
        offer(Tool("tiny-files", "1.2.3", files=replace(files, paths=("charts/none",))))
        with pytest.raises(ToolchainError, match=r"the module has no .*charts/none"):
            prepared()

    def test_a_failed_download_is_one_clear_line(
        self, files: ModuleFiles, machine: Machine, offer: Offer
    ) -> None:
        offer(Tool("tiny-files", "1.2.3", files=files))
        go = machine.path / "go"
        go.write_text(go.read_text() + "echo no such host >&2; exit 1\n")
        with pytest.raises(ToolchainError, match=r"Go cannot download example.com/tiny: .*no such"):
            prepared()
        assert list((machine.cache / "tiny-files").glob("files-*/")) == []
