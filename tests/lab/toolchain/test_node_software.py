import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import psutil
import pytest

from lab.toolchain import ToolchainError
from lab.toolchain.node_software import PACKAGES
from tests.lab.toolchain.conftest import Machine
from tests.lab.toolchain.debian import FILES, INSTALLS, System, executable_file

CHECKOUT = Path(__file__).parents[3]
DEADLINE_SECONDS = 20


@pytest.fixture
def system(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> System:
    """A system of its own for the machine, whose user is root."""
    system = System(machine.root / "system")
    system.make()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    # Where the fakes of this test's own import their helpers from.
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    return system


def environment(machine: Machine) -> dict[str, str]:
    return {**machine.environment, "PYTHONPATH": str(CHECKOUT)}


def refusal(system: System, machine: Machine) -> str:
    """The one line that says why there can be no nodes."""
    with pytest.raises(ToolchainError) as failure:
        system.software(environment(machine))
    assert "\n" not in str(failure.value)
    return str(failure.value)


class TestFound:
    def test_what_is_there_is_used_as_it_is(self, system: System, machine: Machine) -> None:
        system.install_all()
        software = system.software(environment(machine))
        root = system.root
        assert software.containerd == root / "usr/bin/containerd"
        assert software.containerd_shim == root / "usr/bin/containerd-shim-runc-v2"
        assert software.ctr == root / "usr/bin/ctr"
        assert software.runc == root / "usr/sbin/runc"
        assert software.cni == root / "usr/lib/cni"
        assert software.busybox == root / "bin/busybox"
        assert software.nft == root / "usr/sbin/nft"
        assert software.iptables == root / "usr/sbin/iptables"
        assert software.conntrack == root / "usr/sbin/conntrack"
        assert software.ip == root / "sbin/ip"
        assert software.installed_now == ()
        assert not list((root / "run").iterdir())

    def test_what_is_on_the_path_goes_first(self, system: System, machine: Machine) -> None:
        system.install_all()
        runc = machine.install("runc", "runc version 1.3.0")
        assert system.software(environment(machine)).runc == runc

    @pytest.mark.parametrize("folder", ["opt/cni/bin", "usr/libexec/cni"])
    def test_cni_plugins_are_found_where_others_than_debian_put_them(
        self, system: System, machine: Machine, folder: str
    ) -> None:
        system.install_all()
        (system.root / folder).parent.mkdir(parents=True, exist_ok=True)
        (system.root / "usr/lib/cni").rename(system.root / folder)
        assert system.software(environment(machine)).cni == system.root / folder

    def test_the_bridge_on_the_path_is_no_cni_plugin(
        self, system: System, machine: Machine
    ) -> None:
        system.install_all(but="containernetworking-plugins")
        system.apt_get()
        machine.install("bridge", "bridge utility, iproute2-6.1.0")
        software = system.software(environment(machine))
        assert software.installed_now == ("containernetworking-plugins",)

    def test_a_dynamically_linked_busybox_is_passed_over(
        self, system: System, machine: Machine
    ) -> None:
        system.install_all()
        (machine.path / "busybox").write_bytes(executable_file(static=False))
        (machine.path / "busybox").chmod(0o755)
        assert system.software(environment(machine)).busybox == system.root / "bin/busybox"


class TestInstalled:
    @pytest.mark.parametrize(
        ("package", "file"), [(package, file) for package in FILES for file in FILES[package]]
    )
    def test_one_missing_file_has_its_package_installed_and_no_other(
        self, system: System, machine: Machine, package: str, file: str
    ) -> None:
        system.install_all()
        (system.root / file).unlink()
        system.apt_get()
        software = system.software(environment(machine))
        assert software.installed_now == (package,)
        assert system.installs == [[package]]
        assert (system.root / file).exists()

    def test_a_busybox_that_needs_libraries_has_the_static_one_installed(
        self, system: System, machine: Machine
    ) -> None:
        system.install_all()
        system.put("bin/busybox", executable_file(static=False))
        system.apt_get()
        assert system.software(environment(machine)).installed_now == ("busybox-static",)

    def test_all_that_is_missing_is_installed_at_once_and_said(
        self, system: System, machine: Machine
    ) -> None:
        system.apt_get()
        said = io.StringIO()
        software = system.software(environment(machine), said)
        assert set(software.installed_now) == set(FILES) == set(PACKAGES)
        assert system.installs == [list(software.installed_now)]
        first, last = said.getvalue().splitlines()
        assert first == f"node packages: installing {', '.join(software.installed_now)}"
        assert last.startswith("node packages: installed in ")

    def test_nobody_is_asked_nothing_else_goes_and_the_users_configuration_stays(
        self, system: System, machine: Machine
    ) -> None:
        system.apt_get(
            "assert os.environ['DEBIAN_FRONTEND'] == 'noninteractive'\n"
            "assert sys.stdin.read() == ''\n" + INSTALLS
        )
        system.software(environment(machine))
        options = system.calls.read_text().split(" -- ")[0]
        assert options == (
            "install --yes --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 "
            "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
        )

    def test_nothing_is_started_and_the_former_policy_is_put_back(
        self, system: System, machine: Machine
    ) -> None:
        former = system.put("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n").stat()
        system.apt_get()
        system.software(environment(machine))
        assert not system.started.exists()
        found = system.policy.stat()
        # The same file, and untouched; only its place in the folder was another one for a while.
        assert (found.st_ino, found.st_mode, found.st_mtime_ns, found.st_size) == (
            *(former.st_ino, former.st_mode, former.st_mtime_ns, former.st_size),
        )
        assert [path.name for path in system.policy.parent.glob("policy*")] == ["policy-rc.d"]

    def test_services_of_what_was_installed_do_not_start_with_the_system(
        self, system: System, machine: Machine
    ) -> None:
        system.install_all(but="containerd")
        system.apt_get()
        calls = system.root / "calls"
        files = "/lib/systemd/system/containerd.service\n/usr/share/containerd.service.txt"
        system.put("usr/bin/dpkg-query", f'#!/bin/sh\necho "$*" >> {calls}\necho "{files}"\n')
        system.put("usr/bin/systemctl", f'#!/bin/sh\necho "$*" >> {calls}\n')
        system.software(environment(machine))
        assert calls.read_text().splitlines() == [
            "--listfiles containerd",
            "disable containerd.service",
        ]
        system.software(environment(machine))
        assert len(calls.read_text().splitlines()) == 2

    def test_lists_that_are_missing_are_fetched_first(
        self, system: System, machine: Machine
    ) -> None:
        for path in (system.root / "var/lib/apt/lists").iterdir():
            path.unlink()
        system.apt_get()
        system.software(environment(machine))
        first, second = system.calls.read_text().splitlines()
        assert first == "update"
        assert second.startswith("install ")

    def test_lists_that_are_too_old_are_fetched_once_and_then_it_is_tried_again(
        self, system: System, machine: Machine
    ) -> None:
        updated = system.root / "updated"
        system.apt_get(
            f"updated = Path({str(updated)!r})\n"
            "if arguments == ['update']: updated.touch()\n"
            "elif not updated.exists(): sys.exit('E: 404 Not Found')\n" + INSTALLS
        )
        assert system.software(environment(machine)).installed_now
        assert [call.split()[0] for call in system.calls.read_text().splitlines()] == [
            "install",
            "update",
            "install",
        ]

    def test_it_is_found_without_the_system_folders_on_the_path(
        self, system: System, machine: Machine
    ) -> None:
        # As with `su`: dpkg refuses to work where they are not.
        system.apt_get(
            "folders = os.environ['PATH'].split(':')\n"
            "assert str(system.root / 'usr/sbin') in folders, folders\n" + INSTALLS
        )
        assert system.software(environment(machine)).installed_now

    def test_the_steps_are_told(self, system: System, machine: Machine) -> None:
        go_on = system.root / "go-on"
        system.apt_get(
            "print('Get:1 somewhere runc', flush=True)\n"
            f"while not Path({str(go_on)!r}).exists(): time.sleep(0.02)\n" + INSTALLS
        )
        with start(system, machine) as run:
            assert run.stderr is not None
            lines = iter(run.stderr.readline, "")
            assert any(line.startswith("node packages: downloading (") for line in lines)
            go_on.touch()
            run.communicate(timeout=DEADLINE_SECONDS)
        assert run.returncode == 0


class TestRefused:
    def test_without_root(
        self, system: System, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        system.install_all()
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        assert refusal(system, machine) == "nodes need root, and this is user 1000"

    def test_on_another_system_than_linux(
        self, system: System, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        system.install_all()
        # Its package has a function of the same name, which hides the module.
        monkeypatch.setattr(import_module("lab.toolchain.node_software"), "OS", "darwin")
        assert refusal(system, machine) == "nodes need Linux, and this is darwin"

    def test_without_apt_get_it_is_said_what_is_missing(
        self, system: System, machine: Machine
    ) -> None:
        system.install_all(but="containerd")
        system.put("bin/busybox", executable_file(static=False))
        (system.root / "usr/lib/cni/portmap").unlink()
        assert refusal(system, machine) == (
            "nodes need containerd, containerd-shim-runc-v2, ctr, a statically linked busybox, the "
            "CNI plugins bridge, host-local, loopback, portmap, and there is no apt-get to install "
            "the Debian packages containerd, busybox-static, containernetworking-plugins; install "
            "them in the way of this system"
        )
        assert not list(system.root.glob("usr/sbin/policy*"))

    def test_what_apt_get_says_last_is_told(self, system: System, machine: Machine) -> None:
        system.install_all(but="conntrack")
        system.apt_get(
            "print('Reading package lists...')\n"
            "print('E: Unable to locate package conntrack')\n"
            "print('W: something else')\n"
            "sys.exit(100)"
        )
        log = machine.cache / "log" / "node-packages.log"
        assert refusal(system, machine) == (
            "nodes need the Debian packages conntrack: apt-get failed "
            f"(E: Unable to locate package conntrack); see {log}"
        )
        assert "Reading package lists" in log.read_text()
        assert not list(system.root.glob("usr/sbin/policy*"))

    def test_an_apt_get_that_says_nothing(self, system: System, machine: Machine) -> None:
        system.apt_get("sys.exit(1)")
        assert "apt-get failed (it says nothing)" in refusal(system, machine)

    def test_a_package_without_what_it_should_have(self, system: System, machine: Machine) -> None:
        system.install_all(but="nftables")
        system.apt_get("")
        assert "apt-get installed nftables, and still there is no nft; see " in refusal(
            system, machine
        )

    def test_services_that_cannot_be_disabled(self, system: System, machine: Machine) -> None:
        system.install_all(but="containerd")
        system.apt_get()
        system.put("usr/bin/dpkg-query", "#!/bin/sh\necho /lib/systemd/system/c.service\n")
        system.put("usr/bin/systemctl", "#!/bin/sh\nexit 1\n")
        assert "their services may start with the system" in refusal(system, machine)

    def test_a_system_that_cannot_be_written(self, system: System, machine: Machine) -> None:
        system.apt_get()
        (system.root / "run").rmdir()
        assert "packages for nodes cannot be installed: " in refusal(system, machine)


def start(system: System, machine: Machine) -> subprocess.Popen[str]:
    """Starts another run in the system."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lab.toolchain.node_preparation", system.root],
        cwd=CHECKOUT,
        env=environment(machine),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestSeveralRuns:
    @pytest.fixture
    def go_on(self, system: System) -> Path:
        """A file for which apt-get waits before it installs."""
        system.put("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n")
        go_on = system.root / "go-on"
        system.apt_get(
            "(system.root / 'apt-get-pid').write_text(str(os.getpid()))\n"
            # As while the real one has dpkg at work.
            "signal.signal(signal.SIGINT, lambda *_: (system.root / 'interrupted').touch())\n"
            "(system.root / 'at-work').touch()\n"
            # Not for ever, which it would be where a test fails before.
            f"deadline = time.monotonic() + {DEADLINE_SECONDS}\n"
            f"while not Path({str(go_on)!r}).exists():\n"
            "    assert time.monotonic() < deadline\n"
            "    time.sleep(0.02)\n" + INSTALLS
        )
        return go_on

    def at_work(self, system: System) -> None:
        wait_until((system.root / "at-work").exists)

    def policy_is_back(self, system: System) -> bool:
        names = [path.name for path in system.policy.parent.glob("policy*")]
        return names == ["policy-rc.d"] and "exit 0" in system.policy.read_text()

    def test_the_second_of_two_waits_says_so_and_installs_nothing(
        self, system: System, machine: Machine, go_on: Path
    ) -> None:
        with start(system, machine) as first:
            self.at_work(system)
            with start(system, machine) as second:
                assert second.stderr is not None
                said = second.stderr.readline()
                go_on.touch()
                installed = [
                    run.communicate(timeout=DEADLINE_SECONDS)[0].split() for run in (first, second)
                ]
        assert said.startswith("node packages: waiting for another run that installs")
        assert (first.returncode, second.returncode) == (0, 0)
        assert [set(packages) for packages in installed] == [set(FILES), set()]
        assert len(system.installs) == 1
        assert self.policy_is_back(system)

    def test_an_interrupt_has_apt_get_end_what_it_has_begun(
        self, system: System, machine: Machine, go_on: Path
    ) -> None:
        with start(system, machine) as interrupted:
            self.at_work(system)
            interrupted.send_signal(signal.SIGINT)
            wait_until((system.root / "interrupted").exists)
            interrupted.send_signal(signal.SIGINT)
            time.sleep(1)
            assert interrupted.poll() is None
            assert not self.policy_is_back(system)
            go_on.touch()
            interrupted.communicate(timeout=DEADLINE_SECONDS)
        assert interrupted.returncode != 0
        assert not psutil.pid_exists(int((system.root / "apt-get-pid").read_text()))
        assert not system.started.exists()
        assert self.policy_is_back(system)

    def test_an_interrupt_of_the_terminal_reaches_apt_get_only_through_the_run(
        self, system: System, machine: Machine, go_on: Path
    ) -> None:
        with start(system, machine) as run:
            self.at_work(system)
            pid = int((system.root / "apt-get-pid").read_text())
            assert os.getpgid(pid) != os.getpgid(run.pid)
            go_on.touch()
            run.communicate(timeout=DEADLINE_SECONDS)

    def test_the_next_run_waits_for_the_apt_get_of_a_killed_one_and_clears_up(
        self, system: System, machine: Machine, go_on: Path
    ) -> None:
        with start(system, machine) as killed:
            self.at_work(system)
            killed.kill()
            killed.communicate(timeout=DEADLINE_SECONDS)
        with start(system, machine) as second:
            assert second.stderr is not None
            assert "waiting for another run that installs" in second.stderr.readline()
            assert not self.policy_is_back(system)
            go_on.touch()
            installed, _ = second.communicate(timeout=DEADLINE_SECONDS)
        assert (second.returncode, installed.split()) == (0, [])
        assert len(system.installs) == 1
        assert not system.started.exists()
        assert self.policy_is_back(system)

    def test_what_a_killed_run_left_is_cleared_away_where_nothing_is_missing(
        self, system: System, machine: Machine, go_on: Path
    ) -> None:
        with start(system, machine) as killed:
            self.at_work(system)
            killed.kill()
        go_on.touch()
        pid = int((system.root / "apt-get-pid").read_text())
        wait_until(lambda: not psutil.pid_exists(pid))
        assert not self.policy_is_back(system)
        assert system.software(environment(machine)).installed_now == ()
        assert self.policy_is_back(system)
