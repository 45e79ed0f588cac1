"""A stack, driven as a user does: the real engine, from the command line."""

import json
import re
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

_AT_THE_END = 60
"""Lines of what a failed command printed, of which the last say why."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and all that it printed."""

    arguments: tuple[str, ...]
    exit_code: int
    output: str

    @property
    def errors(self) -> list[str]:
        """What the engine printed as errors, each once."""
        found = re.findall(r"error: (.*)", self.output)
        return [*dict.fromkeys(line.strip() for line in found)]


class PulumiStack(ABC):
    """What is done with any stack; whose it is, and where, others know."""

    @abstractmethod
    def _execute(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        """Runs the engine with `arguments` for this stack; `stdout` has all that it printed."""

    def attempt(self, *arguments: str) -> Outcome:
        """Runs the engine with `arguments`, and gives what came of it."""
        done = self._execute(arguments)
        return Outcome(arguments, done.returncode, done.stdout)

    def run(self, *arguments: str) -> str:
        """Runs the engine with `arguments`, which has to succeed; gives what it printed."""
        outcome = self.attempt(*arguments)
        assert outcome.exit_code == 0, f"{arguments} ended with {outcome.exit_code}\n" + "\n".join(
            outcome.output.splitlines()[-_AT_THE_END:]
        )
        return outcome.output

    def update(self, *arguments: str) -> str:
        """Runs `pulumi up`."""
        return self.run("up", "--yes", "--skip-preview", *arguments)

    def destroy(self, *arguments: str) -> str:
        """Runs `pulumi destroy`."""
        return self.run("destroy", "--yes", "--skip-preview", *arguments)

    def plan(self) -> dict[str, dict[str, Any]]:
        """The steps of a preview, by the resource's name."""
        steps = json.loads(self.run("preview", "--json"))["steps"]
        return {step["urn"].rsplit("::", 1)[-1]: step for step in steps}

    def steps(self) -> dict[str, str]:
        """What `up` would change now: the operations, by the resource's name."""
        unchanging = ("same", "read")
        return {
            name: step["op"] for name, step in self.plan().items() if step["op"] not in unchanging
        }
