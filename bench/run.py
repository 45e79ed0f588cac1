"""The run: every way in turn, each from nothing and back to it, and saved as it goes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from bench import made, ways
from bench.figures import ADD, HOST, POD, SET_UP, WAYS, Figures, Results
from bench.ground import Ground, names
from bench.measured import measure, servers_processor_seconds
from lab import processes


@dataclass
class Run:
    """One run on a ground, whose results are written to `path` after every turn."""

    console: Console
    ground: Ground
    results: Results
    path: Path
    _references: dict[str, made.Shape] = field(default_factory=dict)

    def measure(self, size: int, rounds: int) -> None:
        """Measure all ways with `size` clusters, as far as they are not measured yet.

        Raises:
            NotTheSameError: a way has not made what another one made.
            CommandFailedError: an operation failed.
        """
        missing = [each for each in range(rounds) if not self.results.has_turn(size, each)]
        if not missing:
            self._say(f"{size} clusters: measured already")
            return
        began = time.monotonic()
        self._say(f"{size} clusters: starting what is missing of {size + 1} API servers")
        self.ground.have(self.console, names(size + 1))
        self._say(f"{size} clusters: started in {time.monotonic() - began:.0f} s")
        for turn in missing:
            self.results.forget_turn(size, turn)
            # Each way comes first, second and last in turn.
            for index in range(len(WAYS)):
                self._way(WAYS[(turn + index) % len(WAYS)], size, turn)
            self.results.write(self.path)

    def _way(self, way: str, size: int, turn: int) -> None:
        *clusters, more = names(size + 1)
        before = self._shape([*clusters, more])
        for operation, command in ways.commands(self.ground, way, clusters, more):
            self._operation(Figures(size, turn, way, operation, 0, 0, 0, 0, 0, 0), command)
            if operation == SET_UP:
                self._check(way, clusters)
            elif operation == ADD:
                self._check(way, [*clusters, more])
        if way in (POD, HOST):
            ways.undo(self.ground, [*clusters, more])
        made.require_same(self._shape([*clusters, more]), before, f"undoing ({way})")

    def _operation(self, at: Figures, command: ways.Command) -> None:
        told = f"{at.size} clusters, round {at.turn + 1}, {at.way}: {at.operation}"
        clusters = names(at.size + 1)
        servers = self._servers()
        vault, kubernetes = self.ground.vault_calls(), self.ground.kubernetes_calls(clusters)
        log = self.ground.folder / f"{at.way}.log"
        with self.console.status(f"{told} ..."):
            used = measure(command.arguments, command.environment, command.folder, log)
        self.results.figures.append(
            Figures(
                at.size,
                at.turn,
                at.way,
                at.operation,
                used.wall_seconds,
                used.processor_seconds,
                self._servers() - servers,
                used.peak_mebibytes,
                self.ground.vault_calls() - vault,
                self.ground.kubernetes_calls(clusters) - kubernetes,
                dict(used.processor_by_part),
            )
        )
        self._say(f"{told} took {used.wall_seconds:.1f} s")

    def _check(self, way: str, clusters: Sequence[str]) -> None:
        shape = self._shape(clusters)
        made.require_whole(shape, clusters, way)
        reference = self._references.setdefault(f"{len(clusters)}", shape)
        made.require_same(shape, reference, way)

    def _shape(self, clusters: Sequence[str]) -> made.Shape:
        clients = {each: self.ground.kubernetes_client(each) for each in clusters}
        return made.shape_of(self.ground.vault.client(), clients)

    def _servers(self) -> float:
        roots = [
            each.process for lab in self.ground.labs for each in processes.running(lab.directory)
        ]
        return servers_processor_seconds(roots)

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)
