"""The tools that the lab is made of, from wherever they are to be had."""

from .catalog import NODE_TOOLS
from .installed import LAB_DIRECTORY_VARIABLE
from .node_software import NodeSoftware, node_software
from .prepare import prepare
from .report import tool_table
from .tools import PreparedTool, Source, Toolchain, ToolchainError

__all__ = [
    "LAB_DIRECTORY_VARIABLE",
    "NODE_TOOLS",
    "NodeSoftware",
    "PreparedTool",
    "Source",
    "Toolchain",
    "ToolchainError",
    "node_software",
    "prepare",
    "tool_table",
]
