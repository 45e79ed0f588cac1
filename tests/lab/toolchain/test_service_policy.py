import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.toolchain import ToolchainError
from lab.toolchain.service_policy import ServicePolicy
from tests.lab.toolchain.conftest import leave_out
from tests.lab.toolchain.debian import System

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def system(tmp_path: Path) -> System:
    system = System(tmp_path)
    system.make()
    return system


def folder_of(system: System) -> dict[str, tuple[int, int, int, int]]:
    """Each file by its name, with what tells it from another."""
    return {
        path.name: (it.st_ino, it.st_mode, it.st_mtime_ns, it.st_size)
        for path in system.policy.parent.iterdir()
        for it in [path.lstat()]
    }


def kill_while_in_place(system: System) -> None:
    """Leaves what a run leaves that is killed while ours is in place."""
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from lab.toolchain.service_policy import ServicePolicy\n"
        "with ServicePolicy(Path(sys.argv[1])).nothing_starts():\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, system.root], cwd=CHECKOUT, check=False)
    assert killed.returncode == -signal.SIGKILL


def test_while_it_is_in_place_services_are_forbidden(system: System) -> None:
    policy = ServicePolicy(system.root)
    assert not policy.is_changed()
    with policy.nothing_starts():
        assert policy.is_changed()
        assert subprocess.run([system.policy, "containerd", "start"], check=False).returncode == 101
    assert not policy.is_changed()


def test_debian_itself_heeds_it(system: System) -> None:
    invoke = shutil.which("deb-systemd-invoke")
    if invoke is None:
        leave_out(ToolchainError("this is no Debian: no deb-systemd-invoke"), os.environ)
    with ServicePolicy(system.root).nothing_starts():
        answer = subprocess.run(
            [invoke, "start", "no-such-unit.service"],
            env={**os.environ, "DPKG_ROOT": str(system.root)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert "policy-rc.d returned 101" in answer.stderr


def test_where_nothing_was_nothing_stays(system: System) -> None:
    with ServicePolicy(system.root).nothing_starts():
        pass
    assert folder_of(system) == {}


def test_what_was_there_is_put_back_as_it_was(system: System) -> None:
    system.put("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n").chmod(0o710)
    os.utime(system.policy, (1, 2))
    before = folder_of(system)
    with ServicePolicy(system.root).nothing_starts():
        assert folder_of(system)["policy-rc.d"] != before["policy-rc.d"]
    assert folder_of(system) == before


def test_a_link_is_put_back_as_a_link(system: System) -> None:
    system.policy.symlink_to("/etc/alternatives/policy-rc.d")
    with ServicePolicy(system.root).nothing_starts():
        assert not system.policy.is_symlink()
    assert system.policy.readlink() == Path("/etc/alternatives/policy-rc.d")


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_it_is_put_back_after_a_failure(system: System, failure: type[BaseException]) -> None:
    system.put("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n")
    before = folder_of(system)
    with pytest.raises(failure), ServicePolicy(system.root).nothing_starts():
        raise failure
    assert folder_of(system) == before


@pytest.mark.parametrize("theirs", ["#!/bin/sh\nexit 0\n", None])
def test_what_a_killed_run_left_is_cleared_away(system: System, theirs: str | None) -> None:
    if theirs:
        system.put("usr/sbin/policy-rc.d", theirs)
    before = folder_of(system)
    kill_while_in_place(system)
    assert folder_of(system) != before
    policy = ServicePolicy(system.root)
    assert policy.is_changed()
    policy.put_back()
    assert folder_of(system) == before
    assert not policy.is_changed()


def test_a_run_after_a_killed_one_puts_back_what_was_there_before_both(system: System) -> None:
    system.put("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n")
    before = folder_of(system)
    kill_while_in_place(system)
    with ServicePolicy(system.root).nothing_starts():
        assert subprocess.run([system.policy], check=False).returncode == 101
    assert folder_of(system) == before


def test_a_run_that_was_killed_between_two_steps_is_cleared_away(system: System) -> None:
    system.put("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n")
    before = folder_of(system)
    policy = ServicePolicy(system.root)
    system.put("usr/sbin/policy-rc.d.new-mesh-trust", "#!/bin/sh\n# ha")
    assert policy.is_changed()
    policy.put_back()
    assert folder_of(system) == before
    system.policy.rename(system.policy.with_name("policy-rc.d.before-mesh-trust"))
    assert policy.is_changed()
    policy.put_back()
    assert folder_of(system) == before


def test_one_of_somebody_else_is_left_alone(system: System) -> None:
    system.put("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n")
    before = folder_of(system)
    policy = ServicePolicy(system.root)
    assert not policy.is_changed()
    policy.put_back()
    assert folder_of(system) == before


def test_one_that_somebody_put_in_place_of_ours_is_not_decided_about(system: System) -> None:
    system.put("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n")
    kill_while_in_place(system)
    system.policy.unlink()
    system.put("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 104\n")
    before = folder_of(system)
    with pytest.raises(
        ToolchainError, match=r"delete .*/policy-rc\.d\.before-mesh-trust"
    ) as failure:
        ServicePolicy(system.root).put_back()
    assert "\n" not in str(failure.value)
    assert folder_of(system) == before
