"""Drives the program as a user does: the real engine, from the command line, on the lab."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.commands import run_command
from tests.pulumi_stack import Outcome, PulumiStack

NO_CHANGES_EXIT_CODE = 7
"""What the engine ends with where `--expect-no-changes` was asked and there are some."""


@dataclass
class Program(PulumiStack):
    """The stack `dev` of the checkout's program, in a lab."""

    lab: Lab
    configuration_folder: Path
    deployed: bool = False
    transcript: list[Outcome] = field(default_factory=list)
    """Every command so far, with its output."""
    vault_token: str | None = None
    """The token to work with in place of the lab's root token."""
    _configuration: Path | None = None

    def _execute(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        takes_it = arguments[0] not in ("stack", "state")
        configured = self._configuration is not None and takes_it
        extra = ["--config-file", str(self._configuration)] if configured else []
        command = [sys.executable, "-m", "lab", "--directory", str(self.lab.directory.root)]
        command += ["pulumi", "--"]
        environment = None
        if self.vault_token is not None:
            # The lab's command would put its own token in.
            command = [str(self.lab.directory.engine / "pulumi")]
            extra = extra or ["--config-file", str(self.lab.directory.project / "Pulumi.dev.yaml")]
            environment = {**self.lab.environment(), "VAULT_TOKEN": self.vault_token}
        command += [arguments[0], *extra, *arguments[1:], "--stack", "dev", "--non-interactive"]
        return run_command(command, CHECKOUT, environment)

    def attempt(self, *arguments: str) -> Outcome:
        """Runs the engine with `arguments`, and keeps what came of it."""
        outcome = super().attempt(*arguments)
        self.transcript.append(outcome)
        return outcome

    def up(self, *arguments: str) -> str:
        """Runs `pulumi up`."""
        # Before it runs: one that fails half-way leaves things to be taken down as well.
        self.deployed = True
        return self.update(*arguments)

    def destroy(self, *arguments: str) -> str:
        """Runs `pulumi destroy`."""
        output = super().destroy(*arguments)
        self.deployed = False
        return output

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, as any user of the stack sees them."""
        outputs: dict[str, Any] = json.loads(self._stack("output", "--json"))
        return outputs

    def secret_outputs(self) -> dict[str, Any]:
        """The stack's outputs with their secrets, as who has the passphrase sees them."""
        outputs: dict[str, Any] = json.loads(self._stack("output", "--json", "--show-secrets"))
        return outputs

    def state(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's state."""
        secrets = ["--show-secrets"] if show_secrets else []
        state: dict[str, Any] = json.loads(self._stack("export", *secrets))
        return state

    def configure(self, **changes: Any) -> None:
        """From now on runs with these configuration values in place of the committed ones.

        None takes a committed one away.
        """
        copy = self.lab.directory.project / "Pulumi.dev.yaml"
        if not copy.exists():
            # Any command makes it.
            self.run("config")
        content = yaml.safe_load(copy.read_text())
        for key, value in changes.items():
            if value is None:
                del content["config"][f"mesh-trust:{key}"]
            else:
                content["config"][f"mesh-trust:{key}"] = value
        self._configuration = self.configuration_folder / "Pulumi.dev.yaml"
        self._configuration.write_text(yaml.safe_dump(content))

    def configure_secret(self, key: str, value: str, *, path: bool = False) -> None:
        """Adds a secret to what `configure` set; `key` may be the path of a part of a value."""
        assert self._configuration is not None
        subprocess.run(
            [
                *(self.lab.directory.engine / "pulumi", "config", "set", "--secret", key),
                *(["--path"] if path else []),
                *("--config-file", self._configuration, "--stack", "dev", "--non-interactive"),
            ],
            cwd=CHECKOUT,
            env=self.lab.environment(),
            # Not an argument, which every process could read.
            input=value,
            capture_output=True,
            text=True,
            check=True,
        )

    @property
    def configuration(self) -> Path | None:
        """The file with the configuration, where it is not the committed one."""
        return self._configuration

    def configure_as_committed(self) -> None:
        """From now on runs with the committed configuration again."""
        self._configuration = None

    def _stack(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.lab.directory.engine / "pulumi", "stack", *arguments, "--stack", "dev"],
            cwd=CHECKOUT,
            env=self.lab.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


def clusters(*names: str) -> Sequence[dict[str, str]]:
    """The configuration value `clusters` for these clusters."""
    return [{"name": name, "context": name} for name in names]
