"""What nodes leave on the host: nothing, however they end."""

import io
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from lab import processes
from lab.directory import CHECKOUT
from lab.lab import Lab
from lab.nodes.cgroups import left_cgroups
from lab.nodes.watches import require_watches
from lab.toolchain import NodeSoftware, Toolchain, ToolchainError

from .host import Host
from .pods import outcome, shell_pod


def _up(lab: Lab) -> str:
    output = io.StringIO()
    lab.up(Console(file=output, width=200), ["east"])
    return output.getvalue()


def _kill(lab: Lab, *names: str) -> None:
    for each in processes.running(lab.directory):
        if not names or each.name in names:
            each.process.kill()
            each.process.wait()


def _compare(lab: Lab, before: Host, but: str = "") -> None:
    """Asserts that the host is as before; the kernel takes namespaces away in its own time."""
    kept = {but: getattr(before, but)} if but else {}
    deadline = time.monotonic() + 10
    while (after := replace(Host.look(lab), **kept)) != before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert after.changes_since(before) == []


@pytest.fixture(scope="module")
def foreign() -> Iterator[None]:
    """Things of others, near enough to be taken for the lab's own."""
    rules = "add table ip foreign\nadd chain ip foreign kept"
    subprocess.run(["ip", "link", "add", "foreign0", "type", "bridge"], check=True)
    # Without an address of its own accord, which would come a moment later.
    subprocess.run(["ip", "link", "set", "foreign0", "addrgenmode", "none"], check=True)
    subprocess.run(["ip", "address", "add", "198.51.100.1/24", "dev", "foreign0"], check=True)
    subprocess.run(["ip", "link", "set", "foreign0", "up"], check=True)
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    yield
    subprocess.run(["ip", "link", "delete", "foreign0"], check=True)
    subprocess.run(["nft", "delete", "table", "ip", "foreign"], check=True)


@pytest.mark.soak
@pytest.mark.usefixtures("foreign")
def test_a_lab_with_nodes_takes_back_all_that_is_its_own_and_no_other(
    toolchain: Toolchain, software: NodeSoftware, tmp_path: Path
) -> None:
    lab = Lab(tmp_path / "lab", toolchain, software)
    before = Host.look(lab)
    try:
        _up(lab)
        during = Host.look(lab)
        # What the look compares is what a node changes, and the firewall's rules are not among it.
        assert (during.interfaces, during.routes, during.control_groups) != (
            before.interfaces,
            before.routes,
            before.control_groups,
        )
        assert (during.mounts, during.rules) == (before.mounts, before.rules)

        lab.stop()
        _compare(lab, before)

        _up(lab)
        _kill(lab)
        _compare(lab, before, but="control_groups")
        assert len(left_cgroups(lab.directory)) > 0

        output = _up(lab)
        assert "node-east: ready at" in output
        assert outcome(lab, "east", shell_pod("again", "true"))[0] == "Succeeded"
        _kill(lab)
    finally:
        lab.clean()
    _compare(lab, before)
    assert left_cgroups(lab.directory) == []


@pytest.fixture
def breakable(lab: Lab) -> Iterator[Lab]:
    """The lab, which the tests after this one find mended, however this one ends."""
    yield lab
    lab.up(Console(file=io.StringIO()))


@pytest.mark.soak
def test_a_killed_node_is_mended_alone(breakable: Lab) -> None:
    lab = breakable
    before = {each.name: each.process.pid for each in processes.running(lab.directory)}
    _kill(lab, "node-east")
    assert {each.name for each in lab.status() if each.failure} == {"node-east"}

    lab.up(Console(file=io.StringIO()))

    after = {each.name: each.process.pid for each in processes.running(lab.directory)}
    assert {name for name in before if before[name] != after[name]} == {"node-east"}
    assert [each.failure for each in lab.status() if each.failure] == []
    assert outcome(lab, "east", shell_pod("again", "true"))[0] == "Succeeded"


@pytest.mark.soak
def test_nodes_end_with_their_switch_and_come_back_with_it(breakable: Lab) -> None:
    lab = breakable
    addresses = {each.name: each.address for each in lab.status()}
    _kill(lab, "switch")
    # At once: the kernel takes the interface away in its own time.
    lab.up(Console(file=io.StringIO()))

    assert [each.failure for each in lab.status() if each.failure] == []
    assert {each.name: each.address for each in lab.status()} == addresses
    assert outcome(lab, "west", shell_pod("again", "true"))[0] == "Succeeded"


@pytest.mark.soak
def test_who_is_in_a_lost_network_is_not_asked(breakable: Lab) -> None:
    lab = breakable
    _kill(lab, "switch")
    deadline = time.monotonic() + 20
    while not (failures := _failures(lab)).get("kube-apiserver-east", "").startswith("interface "):
        assert time.monotonic() < deadline, failures
        time.sleep(0.2)
    assert failures["switch"] == "not running"
    assert "etcd" not in failures
    for cluster in ("mgmt", "east", "west"):
        told = failures[f"kube-apiserver-{cluster}"]
        assert re.fullmatch(r"interface mesh-lab\d+ is missing", told)


def _failures(lab: Lab) -> dict[str, str]:
    return {each.name: each.failure for each in lab.status() if each.failure}


@pytest.mark.parametrize(
    ("taken", "possible"), [("-sys_admin", False), ("-net_admin", False), ("-sys_time", True)]
)
def test_a_root_without_the_privileges_is_told(taken: str, possible: bool) -> None:
    program = (
        "from lab.nodes.possible import require_privileges\n"
        "from lab.toolchain import ToolchainError\n"
        "try:\n    require_privileges()\nexcept ToolchainError as error:\n    print(error)"
    )
    answer = subprocess.run(
        [
            "setpriv",
            f"--bounding-set={taken}",
            f"--inh-caps={taken}",
            sys.executable,
            "-c",
            program,
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if possible:
        assert answer == ""
    else:
        assert answer.startswith("nodes need privileges that this root does not have: ")
        assert len(answer.splitlines()) == 1


def test_too_few_watches_are_told_before_anything_crashes() -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    require_watches(1)
    with pytest.raises(
        ToolchainError, match=r"nodes need \d+ inotify instances, and \d+ of .*sysctl"
    ):
        require_watches(limit)
