"""Small Pulumi projects for the real engine."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
STACK = "test"


class Project:
    """A project folder with one stack."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self.environment = environment
        self._has_stack = False
        directory.mkdir()

    def write(
        self, program: str, *, options: dict[str, str] | None = None, **settings: Any
    ) -> None:
        """Write the project file and the program, by default for this interpreter's own SDK."""
        runtime = {"name": "python", "options": options or {"virtualenv": sys.prefix}}
        # Stacks of all tests lie in one backend: their projects need names of their own.
        name = f"project-{self.directory.parent.name}".replace("_", "-")
        self.add("Pulumi.yaml", yaml.safe_dump({"name": name, "runtime": runtime, **settings}))
        self.add("__main__.py", program)

    def add(self, name: str, content: str) -> None:
        """Write a further file."""
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(content))

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `pulumi` in the project; a failure that is not expected shows all output."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color=never", *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def make_stack(self) -> None:
        """Make the stack, where that has not been done."""
        if not self._has_stack:
            self.pulumi("stack", "init", STACK)
            self._has_stack = True

    def up(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Deploy the stack, made if it is missing."""
        self.make_stack()
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, check=check)

    def outputs(self, *arguments: str) -> dict[str, Any]:
        """The stack's outputs."""
        outputs: dict[str, Any] = json.loads(
            self.pulumi("stack", "output", "--json", *arguments).stdout
        )
        return outputs
