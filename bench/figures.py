"""What was measured, as it is kept: JSON on disk, medians and ratios."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab.directory import write_private

MEBIBYTE = 2**20

POD, HOST, PULUMI = "pod", "host", "pulumi"
WAYS = (POD, HOST, PULUMI)
"""The guide's commands by `kubectl exec` in Vault's pod; the same with a `vault` on this machine;
the project's program."""

SET_UP, ADD, NO_CHANGE, PREVIEW, REFRESH, DESTROY = (
    "set-up",
    "one more cluster",
    "up without changes",
    "preview without changes",
    "refresh",
    "destroy",
)
OPERATIONS = (SET_UP, NO_CHANGE, PREVIEW, ADD, REFRESH, DESTROY)


@dataclass(frozen=True)
class Figures:
    """One operation of one way, measured once.

    `size` is the number of workload clusters (for `ADD`, before), `turn` counts from 0. Processor
    seconds and memory are those of the command and all that it starts; `servers_seconds` is the
    processor time of the lab's servers meanwhile. Calls are requests that the servers noted.
    """

    size: int
    turn: int
    way: str
    operation: str
    wall_seconds: float
    processor_seconds: float
    servers_seconds: float
    peak_mebibytes: float
    vault_calls: int
    kubernetes_calls: int
    processor_by_part: dict[str, float] = field(default_factory=dict)


@dataclass
class Results:
    """All figures of one run, and what it ran on."""

    machine: dict[str, str] = field(default_factory=dict)
    figures: list[Figures] = field(default_factory=list)

    def those(self, size: int, way: str, operation: str) -> list[Figures]:
        """Return the figures of one operation, in the order of its turns."""
        return [
            each
            for each in self.figures
            if (each.size, each.way, each.operation) == (size, way, operation)
        ]

    def median(self, size: int, way: str, operation: str, figure: str = "wall_seconds") -> float:
        """Return the median of a figure.

        Raises:
            KeyError: the operation was not measured.
        """
        those = self.those(size, way, operation)
        if not those:
            raise KeyError(f"{operation} of {way} with {size} clusters was not measured")
        return float(statistics.median(getattr(each, figure) for each in those))

    def sizes(self) -> list[int]:
        """Return the numbers of clusters that were measured, smallest first."""
        return sorted({each.size for each in self.figures})

    def has_turn(self, size: int, turn: int) -> bool:
        """Tell whether a turn was measured for every way, to its last operation."""
        done = {(each.way, each.operation) for each in self.figures_of(size, turn)}
        return {(POD, ADD), (HOST, ADD), (PULUMI, DESTROY)} <= done

    def figures_of(self, size: int, turn: int) -> list[Figures]:
        """Return the figures of one turn."""
        return [each for each in self.figures if (each.size, each.turn) == (size, turn)]

    def forget_turn(self, size: int, turn: int) -> None:
        """Leave out what was measured of a turn that did not come to its end."""
        self.figures = [each for each in self.figures if (each.size, each.turn) != (size, turn)]

    def write(self, path: Path) -> None:
        """Write the file (JSON), so that it is there whole or as it was before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"machine": self.machine, "figures": [_rounded(each) for each in self.figures]}
        write_private(path, (json.dumps(content, indent=1) + "\n").encode(), mode=0o644)

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read what `write` wrote."""
        content = json.loads(path.read_text())
        return cls(content["machine"], [Figures(**each) for each in content["figures"]])


@dataclass(frozen=True)
class Aim:
    """A median that is not to be more than so many times another one; both in wall seconds."""

    text: str
    most: float
    reached: float

    @property
    def holds(self) -> bool:
        """Whether it is reached."""
        return self.reached <= self.most


def aims(results: Results) -> Sequence[Aim]:
    """Return the aims whose figures were measured, each for the sizes that it is about."""
    sizes = results.sizes()
    least, most = sizes[0], sizes[-1]

    def aim(text: str, bound: float, size: int, operation: str, other: tuple[int, str, str]) -> Aim:
        return Aim(text, bound, results.median(size, PULUMI, operation) / results.median(*other))

    on_machine = "first set-up of {}, against the commands on this machine"
    unchanged = "up without changes of {}, against all commands in the pod"
    in_pod = f"first set-up of {least}, against the commands in the pod"
    found = [
        aim(in_pod, 0.7, least, SET_UP, (least, POD, SET_UP)),
        aim(on_machine.format(least), 1.2, least, SET_UP, (least, HOST, SET_UP)),
        aim(unchanged.format(least), 0.25, least, NO_CHANGE, (least, POD, SET_UP)),
    ]
    if most > least:
        more = f"one more cluster to {most}, against one more to {least}"
        found += [
            aim(on_machine.format(most), 0.5, most, SET_UP, (most, HOST, SET_UP)),
            aim(unchanged.format(most), 0.25, most, NO_CHANGE, (most, POD, SET_UP)),
            aim(more, 1.3, most, ADD, (least, PULUMI, ADD)),
        ]
    return found


def _rounded(figures: Figures) -> dict[str, Any]:
    content = asdict(figures)
    content["processor_by_part"] = {
        part: round(seconds, 3) for part, seconds in figures.processor_by_part.items()
    }
    return {
        key: round(value, 3) if isinstance(value, float) else value
        for key, value in content.items()
    }
