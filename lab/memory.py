"""What a lab remembers from one start to the next: its clusters, ports and executables."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from lab.directory import LabDirectory, write_private
from lab.errors import LabError


@dataclass(frozen=True)
class LabMemory:
    """Workload clusters by name, ports by server, executables (absolute paths) by tool."""

    workload_clusters: tuple[str, ...] = ()
    ports: dict[str, int] = field(default_factory=dict)
    executables: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """Of the same tools, as `1.2.3`."""
    plugins_may_be_downloaded: bool = True
    network: int | None = None
    """Number of the nodes' block of addresses; None where there are no nodes."""
    istiods: bool = False
    """Whether istiods run without nodes."""
    audited: bool = False
    """Whether the API servers write down what administrators ask of them."""
    node_software: dict[str, str] = field(default_factory=dict)
    """What of the system the nodes use: executables and a folder (absolute paths) by name."""

    def executable(self, tool: str) -> Path:
        """Return the path of a tool's executable."""
        return Path(self.executables[tool])

    def version(self, tool: str) -> str:
        """Return the version of a tool."""
        return self.versions[tool]

    @classmethod
    def read(cls, directory: LabDirectory) -> Self:
        """Read the file, or return an empty memory where there is none.

        Raises:
            LabError: the file is not what `write` writes.
        """
        if not directory.memory.exists():
            return cls()
        try:
            content = json.loads(directory.memory.read_text())
            clusters = tuple(map(str, content.pop("workload_clusters")))
            ports = {name: int(port) for name, port in content.pop("ports").items()}
            return cls(workload_clusters=clusters, ports=ports, **content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LabError(
                f"{directory.memory} cannot be read ({error!r}): "
                "delete the lab with `make clean-lab` and start again"
            ) from error

    def write(self, directory: LabDirectory) -> None:
        """Write the file."""
        write_private(directory.memory, json.dumps(asdict(self), indent=2).encode())
