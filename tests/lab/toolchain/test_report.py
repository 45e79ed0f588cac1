import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from lab.toolchain import (
    NodeSoftware,
    PreparedTool,
    Source,
    Toolchain,
    ToolchainError,
    tool_table,
)
from lab.toolchain.node_software import PACKAGES
from tests.lab.toolchain.conftest import Machine
from tests.lab.toolchain.debian import System


def lines_of(
    *tools: PreparedTool, nodes: NodeSoftware | ToolchainError | None = None, width: int = 120
) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(tool_table(Toolchain({tool.name: tool for tool in tools}), nodes))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_a_row_says_what_came_from_where_and_how_long_it_took() -> None:
    home = Path.home()
    lines = lines_of(
        PreparedTool("one", "1.0.0", Source.INSTALLED, home / "bin" / "one", 0.04),
        PreparedTool("two", "2.0.0", Source.DOWNLOADED, Path("/cache/two"), 3.25),
        PreparedTool("three", "3.0.0", Source.BUILT, Path("/cache/three"), 190),
        PreparedTool("four", "4.0.0", Source.LAB, Path("/checkout/four")),
    )
    assert lines[0] == "tool version came from time"
    assert lines[1:] == [
        "one 1.0.0 installed in ~/bin 0.0 s",
        "two 2.0.0 official download 3.2 s",
        "three 3.0.0 built here 190.0 s",
        "four 4.0.0 the lab's own 0.0 s",
    ]


def test_what_was_passed_over_is_said_once_for_all_that_it_concerns() -> None:
    unreachable = "no download: host cannot be reached"
    lines = lines_of(
        PreparedTool("one", "1.0.0", Source.BUILT, Path("/one"), notes=(unreachable,)),
        PreparedTool("two", "2.0.0", Source.BUILT, Path("/two"), notes=("[old]", unreachable)),
    )
    assert f"{unreachable} (one, two)" in lines
    assert "[old] (two)" in lines


def test_the_software_of_nodes_has_rows_of_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(machine.root / "system")
    system.make()
    system.install_all()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    runc = machine.install("runc", "runc version 1.3.0", machine.home / "bin")
    nodes = replace(system.software(machine.environment), runc=runc)
    lines = lines_of(nodes=nodes, width=400)
    assert "runc 1.3.0 installed in ~/bin" in lines
    assert f"containernetworking-plugins unknown installed in {system.root}/usr/lib/cni" in lines
    assert len(lines) == 1 + len(PACKAGES)


def test_what_was_installed_for_nodes_is_said_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(machine.root / "system")
    system.make()
    system.install_all()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    nodes = system.software(machine.environment)
    nodes = replace(nodes, installed_now=("containerd", "runc"), seconds=8.4)
    assert lines_of(nodes=nodes)[-1] == "installed in 8 s, with nothing started: containerd, runc"


def test_why_there_are_no_nodes_is_one_line_of_80_columns() -> None:
    tool = PreparedTool("one", "1.0.0", Source.BUILT, Path("/one"))
    error = ToolchainError("nodes need root, and this is user 1000")
    assert lines_of(tool, nodes=error, width=80)[1:] == [
        "one 1.0.0 built here 0.0 s",
        "no nodes: nodes need root, and this is user 1000",
    ]


def test_every_row_fits_into_80_columns(toolchain: Toolchain) -> None:
    tools = [replace(tool, seconds=1000.0) for tool in toolchain.values()]
    plain = [line for line in lines_of(*tools, width=400) if line.endswith(" s")]
    narrow = [line for line in lines_of(*tools, width=80) if line.endswith(" s")]
    assert narrow == plain
    assert len(plain) == len(tools)
