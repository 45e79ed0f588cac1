"""Runs `mesh-trust` as a user does: a process of its own, with what a shell of the lab has."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lab.directory import CHECKOUT
from lab.stack import configuration_file
from tests.program.program import Program

_WORST_FIRST = ("failed", "unknown", "warning", "ok")


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it printed."""

    exit_code: int
    output: str
    errors: str

    @cached_property
    def document(self) -> dict[str, Any]:
        """What `--json` has printed."""
        document: dict[str, Any] = json.loads(self.output)
        return document

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of `--json`."""
        findings: list[dict[str, Any]] = self.document["findings"]
        return findings

    def those(self, *states: str) -> set[tuple[str, str]]:
        """Check and subject of the findings in these states."""
        return {
            (each["check"], each["subject"]) for each in self.findings if each["state"] in states
        }

    def of(self, check: str, subject: str) -> dict[str, Any]:
        """The first finding of a check, the bad ones before the good."""
        found = [
            each for each in self.findings if (each["check"], each["subject"]) == (check, subject)
        ]
        assert found, f"{check} has found nothing of {subject}"
        return min(found, key=lambda each: _WORST_FIRST.index(each["state"]))


@dataclass(frozen=True)
class MeshTrust:
    """The command, for the stack of a Program with the configuration that it has at the time."""

    program: Program

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Told:
        """Runs it with `arguments`; `environment` is laid over that of the lab's shell."""
        lab = self.program.lab
        # What the lab's own `pulumi` would name; the engine by itself is there sooner.
        configuration = self.program.configuration or configuration_file(lab.directory)
        if not configuration.exists():
            # Any command of the engine makes it.
            self.program.run("config")
        command = [sys.executable, "-m", "mesh_trust.operations", "--stack", "dev"]
        command += ["--config-file", str(configuration), *arguments]
        path = os.pathsep.join([str(lab.directory.engine), os.environ["PATH"]])
        done = subprocess.run(
            command,
            cwd=CHECKOUT,
            env={**self.environment(), "PATH": path, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Told(done.returncode, done.stdout, done.stderr)

    def environment(self) -> dict[str, str]:
        """What `lab env` sets in a user's shell, whose `pulumi` works on the lab's stack."""
        lab = self.program.lab
        path = os.pathsep.join([str(lab.directory.commands), os.environ["PATH"]])
        environment = {**lab.environment(), "PATH": path, "HOME": str(lab.directory.root)}
        if self.program.vault_token is not None:
            environment["VAULT_TOKEN"] = self.program.vault_token
        return environment
