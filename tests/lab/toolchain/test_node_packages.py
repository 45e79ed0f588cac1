import os
from dataclasses import replace
from pathlib import Path

import pytest

from lab.toolchain import Source
from lab.toolchain.node_packages import node_packages
from lab.toolchain.node_software import PACKAGES
from tests.lab.toolchain.conftest import Machine
from tests.lab.toolchain.debian import System

# Answers as the real one does, for the files and the versions in its own folder.
DPKG_QUERY = """#!/bin/sh
cd "$(dirname "$0")"
case $1 in
--search)
    shift 2
    for file; do
        grep -F ": $file" owners | grep -x ".*: $file" ||
            { echo "dpkg-query: no path found matching pattern $file" >&2; failed=1; }
    done
    exit ${failed:-0} ;;
--show)
    shift 2
    for package; do grep "^$package " versions; done ;;
esac
"""


@pytest.fixture
def system(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> System:
    system = System(machine.root / "system")
    system.make()
    system.install_all()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return system


def origins(system: System, machine: Machine) -> dict[str, tuple[str, Source]]:
    packages = node_packages(system.software(machine.environment), machine.environment)
    return {it.name: (it.version, it.source) for it in packages}


def install_query(machine: Machine, owners: dict[str, str | Path], versions: str) -> None:
    machine.install("dpkg-query", "").write_text(DPKG_QUERY)
    lines = "".join(f"{package}: {file}\n" for package, file in owners.items())
    (machine.path / "owners").write_text(lines)
    (machine.path / "versions").write_text(versions)
    # Nothing but the shell and what the script calls.
    for name in ("dirname", "grep"):
        (machine.path / name).symlink_to(f"/usr/bin/{name}")


def test_what_comes_from_debian_has_its_upstream_version(system: System, machine: Machine) -> None:
    root = system.root
    install_query(
        machine,
        {
            "containerd": root / "usr/bin/containerd",
            "iproute2:amd64": root / "sbin/ip",
            "busybox-static": root / "bin/busybox",
        },
        "containerd 1.6.20~ds1-1+deb12u3\niproute2 6.1.0-3\nbusybox-static 1:1.35.0-4+deb12u1+b1\n",
    )
    found = origins(system, machine)
    assert set(found) == set(PACKAGES)
    assert found["containerd"] == ("1.6.20", Source.DEBIAN)
    assert found["iproute2"] == ("6.1.0", Source.DEBIAN)
    assert found["busybox-static"] == ("1.35.0", Source.DEBIAN)
    # Headers that cannot be run: it is there, and says nothing.
    assert found["runc"] == ("unknown", Source.INSTALLED)


def test_alternatives_are_followed(system: System, machine: Machine) -> None:
    real = system.put("usr/sbin/xtables-nft-multi", "")
    (system.root / "usr/sbin/iptables").unlink()
    (system.root / "usr/sbin/iptables").symlink_to(real)
    install_query(machine, {"iptables": real}, "iptables 1.8.9-2\n")
    assert origins(system, machine)["iptables"] == ("1.8.9", Source.DEBIAN)


def test_a_package_of_somebody_else_is_none_of_debian(system: System, machine: Machine) -> None:
    machine.install("runc", "runc version 1.3.0")
    install_query(
        machine, {"containerd.io": machine.path / "runc"}, "containerd.io 1.7.27-1\nrunc 1.1.5\n"
    )
    assert origins(system, machine)["runc"] == ("1.3.0", Source.INSTALLED)


def test_without_dpkg_the_programs_say_their_versions(
    system: System, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.toolchain.node_packages.system_folders", list)
    machine.install("ip", "ip utility, iproute2-6.1.0, libbpf 1.1.2")
    cni = machine.root / "cni"
    # The plugins say it on the error stream.
    bridge = machine.install("bridge", "", cni)
    bridge.write_text("#!/bin/sh\necho CNI bridge plugin v1.4.0 >&2\n")
    software = replace(system.software(machine.environment), cni=cni)
    found = {it.name: it for it in node_packages(software, machine.environment)}
    assert found["iproute2"].version == "6.1.0"
    assert found["containernetworking-plugins"].version == "1.4.0"
    assert {it.source for it in found.values()} == {Source.INSTALLED}
