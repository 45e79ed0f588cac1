"""Says where each tool came from."""

import os
import re
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .node_packages import node_packages
from .node_software import NodeSoftware
from .places import home_directory
from .tools import PreparedTool, Source, Toolchain, ToolchainError

# A module's version that has no tag: its time and the commit, of which the time tells enough.
_UNTAGGED = re.compile(r"(-[0-9]{14})-[0-9a-f]{12}$")


def tool_table(
    toolchain: Toolchain, nodes: NodeSoftware | ToolchainError | None = None
) -> RenderableType:
    """A row for each tool, and for each package of the software of nodes.

    Below them, once each: what was passed over and why; what was installed; why there are no nodes.
    """
    table = Table(box=None)
    for heading in ("tool", "version", "came from"):
        table.add_column(heading)
    table.add_column("time", justify="right")
    for tool in toolchain.values():
        version = _UNTAGGED.sub(r"\1", tool.version)
        table.add_row(tool.name, version, _origin(tool), f"{tool.seconds:.1f} s")
    notes: dict[str, list[str]] = {}
    for tool in toolchain.values():
        for note in tool.notes:
            notes.setdefault(note, []).append(tool.name)
    remarks = [f"{note} ({', '.join(names)})" for note, names in notes.items()]
    if isinstance(nodes, NodeSoftware):
        for package in node_packages(nodes, os.environ):
            table.add_row(package.name, package.version, _origin(package))
        if nodes.installed_now:
            names = ", ".join(nodes.installed_now)
            remarks.append(f"installed in {nodes.seconds:.0f} s, with nothing started: {names}")
    elif nodes:
        remarks.append(f"no nodes: {nodes}")
    # As text, not as markup: addresses and paths may hold brackets.
    return Group(table, *(Text(remark, style="dim") for remark in remarks))


def _origin(tool: PreparedTool) -> str:
    if tool.source is Source.INSTALLED:
        return f"{tool.source.value} in {_below_home(tool.path.parent)}"
    return str(tool.source.value)


def _below_home(path: Path) -> str:
    home = home_directory(os.environ)
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
