"""An example, driven as its reader does: a copy of it, the real engine, the command line."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.commands import run_command
from tests.printed import run_as_printed
from tests.pulumi_stack import PulumiStack

_SOURCES = CHECKOUT / "examples"


@dataclass
class Example(PulumiStack):
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

    def _execute(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *arguments, "--stack", self.stack, "--non-interactive"]
        return run_command(command, self.folder, self.environment)

    def up(self, *arguments: str) -> dict[str, Any]:
        """Runs `pulumi up`; gives the stack's outputs."""
        self.update(*arguments)
        outputs: dict[str, Any] = json.loads(self.run("stack", "output", "--json"))
        return outputs

    def refusals(self) -> list[str]:
        """The errors of a preview that has to fail, a line each."""
        outcome = self.attempt("preview")
        assert outcome.exit_code != 0, outcome.output
        assert "Traceback" not in outcome.output, outcome.output
        # What the engine ends with after an error of its own.
        return [line for line in outcome.errors if line != "preview failed"]

    def assert_each_is_told(
        self, right: Mapping[str, Any], wrong: Mapping[str, tuple[Any, str]]
    ) -> None:
        """Puts each `wrong` value among those that are `right`: the line beside it is all it says.

        Leaves the right ones configured.
        """
        for key, (value, line) in wrong.items():
            self.configure(**{**right, key: value})
            [told] = self.refusals()
            assert line in told
        self.configure(**right)

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
