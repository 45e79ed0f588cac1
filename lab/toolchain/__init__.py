"""The tools that the lab is made of, from wherever they are to be had."""

from .catalog import ISTIO_CHARTS, LAB_TOOLS, NODE_TOOLS
from .elf import is_statically_linked
from .installed import LAB_DIRECTORY_VARIABLE
from .node_software import NodeSoftware, node_software
from .prepare import prepare
from .report import tool_table
from .tools import PreparedTool, Source, Toolchain, ToolchainError

__all__ = [
    "ISTIO_CHARTS",
    "LAB_DIRECTORY_VARIABLE",
    "LAB_TOOLS",
    "NODE_TOOLS",
    "NodeSoftware",
    "PreparedTool",
    "Source",
    "Toolchain",
    "ToolchainError",
    "is_statically_linked",
    "node_software",
    "prepare",
    "tool_table",
]
