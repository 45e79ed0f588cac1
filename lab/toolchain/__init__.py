"""The tools that the lab is made of, from wherever they are to be had."""

from .catalog import (
    BENCH_TOOLS,
    EXAMPLE_TOOLS,
    GO_HOST,
    ISTIO_CHARTS,
    ISTIOD_AGENT,
    ISTIOD_TOOLS,
    KUBECTL,
    LAB_TOOLS,
    NODE_TOOLS,
    NODEJS_HOST,
    PILOT_DISCOVERY,
    YAML_HOST,
)
from .elf import is_statically_linked
from .installed import LAB_DIRECTORY_VARIABLE
from .node_software import NodeSoftware, node_software
from .prepare import prepare
from .report import tool_table
from .tools import PreparedTool, Source, Toolchain, ToolchainError

__all__ = [
    "BENCH_TOOLS",
    "EXAMPLE_TOOLS",
    "GO_HOST",
    "ISTIOD_AGENT",
    "ISTIOD_TOOLS",
    "ISTIO_CHARTS",
    "KUBECTL",
    "LAB_DIRECTORY_VARIABLE",
    "LAB_TOOLS",
    "NODEJS_HOST",
    "NODE_TOOLS",
    "PILOT_DISCOVERY",
    "YAML_HOST",
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
