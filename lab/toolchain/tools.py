"""What the tool chain hands out."""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


class ToolchainError(Exception):
    """A tool cannot be had; the message says in one line which, why, and what to do."""


class Source(enum.Enum):
    """Where a tool came from, in words for people."""

    INSTALLED = "installed"
    DEBIAN = "Debian package"
    DOWNLOADED = "official download"
    BUILT = "built here"
    MODULE = "its Go module"
    LAB = "the lab's own"


@dataclass(frozen=True)
class PreparedTool:
    """A tool that is ready for use."""

    name: str
    version: str
    """As `1.2.3`."""
    source: Source
    path: Path
    """The executable; the folder of what is no program, and of plugins that were installed or
    downloaded, or are the lab's own."""
    seconds: float = 0.0
    """How long it took to prepare."""
    notes: tuple[str, ...] = ()
    """What was passed over for it, and why."""


class Toolchain(Mapping[str, PreparedTool]):
    """The prepared tools by name."""

    def __init__(self, tools: Mapping[str, PreparedTool]) -> None:
        self._tools = dict(tools)

    def __getitem__(self, name: str) -> PreparedTool:
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)
