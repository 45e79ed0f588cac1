"""On a real system: what nodes need is installed for real, where that can be."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from lab.__main__ import main
from lab.toolchain import (
    ISTIOD_TOOLS,
    NODE_TOOLS,
    NodeSoftware,
    Source,
    Toolchain,
    ToolchainError,
    is_statically_linked,
    node_software,
)
from lab.toolchain.node_packages import node_packages
from lab.toolchain.node_software import CNI_PLUGINS, PACKAGES
from tests.lab.toolchain.conftest import leave_out

POLICY = Path("/usr/sbin/policy-rc.d")


def policy() -> bytes | None:
    return POLICY.read_bytes() if POLICY.exists() else None


@pytest.fixture(scope="module")
def software() -> NodeSoftware:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        leave_out(ToolchainError("this needs root and apt-get"), os.environ)
    before = policy()
    software = node_software(Console(stderr=True), os.environ)
    assert policy() == before
    return software


def answer(*command: str | Path, environment: Mapping[str, str] | None = None) -> str:
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_every_executable_says_its_version(software: NodeSoftware) -> None:
    versions = {it.name: it.version for it in node_packages(software, os.environ)}
    assert set(versions) == set(PACKAGES)
    for path, argument, package in (
        (software.containerd, "--version", "containerd"),
        (software.containerd_shim, "-v", "containerd"),
        (software.ctr, "--version", "containerd"),
        (software.runc, "--version", "runc"),
        (software.busybox, "--help", "busybox-static"),
        (software.nft, "--version", "nftables"),
        (software.iptables, "--version", "iptables"),
        (software.conntrack, "--version", "conntrack"),
        (software.ip, "-V", "iproute2"),
    ):
        assert path.is_absolute()
        assert versions[package] in answer(path, argument)
    for name in CNI_PLUGINS:
        said = answer(software.cni / name, environment={"CNI_COMMAND": "VERSION"})
        assert "1.0.0" in json.loads(said)["supportedVersions"]


def test_busybox_needs_nothing_beside_it(software: NodeSoftware) -> None:
    assert is_statically_linked(software.busybox)
    assert answer(software.busybox, "sh", "-c", "busybox echo it works") == "it works\n"


def test_a_second_look_installs_nothing(software: NodeSoftware) -> None:
    again = node_software(Console(stderr=True), os.environ)
    assert again.installed_now == ()
    assert again.containerd == software.containerd


def test_what_was_installed_neither_runs_nor_starts_with_the_system(
    software: NodeSoftware,
) -> None:
    origins = {it.name: it.source for it in node_packages(software, os.environ)}
    for package in software.installed_now:
        assert origins[package] is Source.DEBIAN
    if "containerd" in software.installed_now:
        assert not Path("/run/containerd/containerd.sock").exists()
        assert not list(Path("/etc/systemd").rglob("*.wants/containerd.service"))


def test_the_table_shows_both(software: NodeSoftware, toolchain: Toolchain) -> None:
    assert software.containerd.exists()
    said = CliRunner().invoke(main, ["tools"], catch_exceptions=False)
    assert said.exit_code == 0
    rows = {line.split()[0] for line in said.stdout.splitlines()}
    assert rows >= {*toolchain, *PACKAGES}
    assert max(map(len, said.stdout.splitlines())) <= 80
    assert "no nodes" not in said.stdout


def test_without_root_the_table_says_why_there_are_no_nodes(
    toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said = CliRunner().invoke(main, ["tools"], catch_exceptions=False)
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert "no nodes: nodes need root, and this is user 1000" in map(str.strip, lines)
    rows = {line.split()[0] for line in lines}
    for_nodes_only = {*NODE_TOOLS} - {*ISTIOD_TOOLS}
    assert rows >= set(toolchain) - for_nodes_only
    assert not rows & {*for_nodes_only, *PACKAGES}
