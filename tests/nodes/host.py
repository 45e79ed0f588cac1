"""What there is on the host, seen with its own commands."""

import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.lab import Lab
from lab.memory import LabMemory
from lab.nodes.addresses import NodeNetwork
from lab.nodes.cgroups import cgroup_of

# Settings that count, or that an interface or an unrelated process changes by coming and going.
_RESTLESS = ("random", "nr", "state", "used", "count", "last_pid", "entropy", "uuid", "quota")


@dataclass(frozen=True)
class Host:
    """Interfaces, addresses, routes, mounts, firewall rules, system settings, control groups."""

    interfaces: tuple[str, ...]
    routes: tuple[str, ...]
    mounts: tuple[str, ...]
    rules: str
    settings: tuple[str, ...]
    control_groups: tuple[str, ...]

    @classmethod
    def look(cls, lab: Lab) -> "Host":
        """Takes a look; what belongs to other labs than this one is passed over."""
        others = _Others.of(lab)
        routes = (json.dumps(each) for each in _ip("route", "show", "table", "all"))
        groups = Path("/sys/fs/cgroup").glob("*/mesh-trust-lab*")
        return cls(
            interfaces=others.left_out(_interface(each) for each in _ip("address")),
            routes=others.left_out(routes),
            mounts=others.left_out(Path("/proc/self/mounts").read_text().splitlines()),
            rules=_run("nft", "list", "ruleset"),
            settings=others.left_out(_settings()),
            control_groups=others.left_out(map(str, groups)),
        )

    def changes_since(self, before: "Host") -> list[str]:
        """What is new or gone, a line each."""
        ours, theirs = set(self._lines()), set(before._lines())
        return [f"+ {line}" for line in ours - theirs] + [f"- {line}" for line in theirs - ours]

    def _lines(self) -> list[str]:
        lines = [*self.interfaces, *self.routes, *self.mounts, *self.settings]
        return [*lines, *self.control_groups, *self.rules.splitlines()]


@dataclass(frozen=True)
class _Others:
    """Recognises what other labs on the same host have."""

    interface: str
    group: str

    @classmethod
    def of(cls, lab: Lab) -> "_Others":
        network = LabMemory.read(lab.directory).network
        interface = "none" if network is None else NodeNetwork(network).interface
        return cls(interface, cgroup_of(lab.directory, "any").parts[0])

    def left_out(self, lines: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(line for line in lines if not self._is_theirs(line)))

    def _is_theirs(self, line: str) -> bool:
        found = re.findall(r"mesh-lab[0-9]+|mesh-trust-lab-[0-9a-f]+", line)
        return any(each not in (self.interface, self.group) for each in found)


def _interface(each: dict[str, Any]) -> str:
    addresses = [f"{entry['local']}/{entry['prefixlen']}" for entry in each["addr_info"]]
    return f"{each['ifname']} {addresses} {each['operstate']}"


def _settings() -> list[str]:
    found = []
    for path in Path("/proc/sys").rglob("*"):
        if any(part in str(path) for part in _RESTLESS) or not path.is_file():
            continue
        try:
            found.append(f"{path} {path.read_text()}")
        except OSError:
            # Some are only to be written.
            continue
    return found


def _ip(*arguments: str) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = json.loads(_run("ip", "-json", *arguments))
    return answer


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
