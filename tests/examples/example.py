"""An example, driven as its reader does: a copy of it, the real engine, the command line."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.commands import run_command
from tests.printed import run_as_printed

_SOURCES = CHECKOUT / "examples"


@dataclass
class Example:
    """A stack of an example on a lab."""

    folder: Path
    stack: str
    lab: Lab
    environment: dict[str, str]

    @classmethod
    def of(cls, name: str, stack: str, folder: Path, lab: Lab) -> "Example":
        """The example `name` in `folder`, copied unless it is there, with an empty stack."""
        if not folder.exists():
            shutil.copytree(_SOURCES / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
            (folder / ".venv").symlink_to(CHECKOUT / ".venv")
        engine = lab.directory.engine
        variables = lab.environment()
        variables["PATH"] = variables["PATH"].replace(str(lab.directory.commands), str(engine))
        example = cls(folder, stack, lab, {**variables, "HOME": str(folder)})
        example.run("stack", "init")
        return example

    def configure(self, **values: Any) -> None:
        """Sets configuration values of the stack."""
        project = yaml.safe_load((self.folder / "Pulumi.yaml").read_text())["name"]
        content = self._configuration()
        content.setdefault("config", {}).update(
            {f"{project}:{key}": value for key, value in values.items()}
        )
        self._file.write_text(yaml.safe_dump(content))

    def configure_secret(self, key: str, file: Path) -> None:
        """Sets a secret to the content of a file, as its README says."""
        command = f"pulumi config set --secret {key} --stack {self.stack} < {file}"
        run_as_printed(command, self.folder, self.environment)

    def attempt(self, *arguments: str) -> tuple[int, str]:
        """Runs the engine; gives the exit code, and all that was printed."""
        done = run_command(
            ["pulumi", *arguments, "--stack", self.stack, "--non-interactive"],
            self.folder,
            self.environment,
        )
        return done.returncode, done.stdout

    def run(self, *arguments: str) -> str:
        """Runs the engine, which has to succeed; gives what it printed."""
        exit_code, output = self.attempt(*arguments)
        assert exit_code == 0, f"{arguments}\n{output}"
        return output

    def up(self, *arguments: str) -> dict[str, Any]:
        """Runs `pulumi up`; gives the stack's outputs."""
        self.run("up", "--yes", "--skip-preview", *arguments)
        outputs: dict[str, Any] = json.loads(self.run("stack", "output", "--json"))
        return outputs

    def plan(self) -> dict[str, dict[str, Any]]:
        """The steps of a preview, by the resource's name."""
        steps = json.loads(self.run("preview", "--json"))["steps"]
        return {step["urn"].rsplit("::", 1)[-1]: step for step in steps}

    def refusals(self) -> list[str]:
        """The errors of a preview that has to fail, a line each."""
        exit_code, output = self.attempt("preview")
        assert exit_code != 0, output
        assert "Traceback" not in output, output
        lines = [line.strip() for line in output.splitlines()]
        errors = dict.fromkeys(line for line in lines if line.startswith("error: "))
        # What the engine ends with after an error of its own.
        return [line for line in errors if line != "error: preview failed"]

    def destroy(self) -> None:
        """Runs `pulumi destroy`."""
        self.run("destroy", "--yes", "--skip-preview")

    def remove(self) -> None:
        """Takes down what is left of it, and the stack."""
        if self.resources():
            self.run("state", "unprotect", "--all", "--yes")
            self.destroy()
        self.run("stack", "rm", "--yes", "--preserve-config")

    def resources(self) -> list[dict[str, Any]]:
        """The state's resources, without secrets."""
        state = json.loads(self.run("stack", "export"))
        resources: list[dict[str, Any]] = state["deployment"].get("resources") or []
        return [each for each in resources if each["type"] != "pulumi:pulumi:Stack"]

    def secrets(self) -> str:
        """The state with its secrets, as text."""
        return self.run("stack", "export", "--show-secrets")

    def _configuration(self) -> dict[str, Any]:
        content: dict[str, Any] = yaml.safe_load(self._file.read_text()) or {}
        return content

    @property
    def _file(self) -> Path:
        return self.folder / f"Pulumi.{self.stack}.yaml"
