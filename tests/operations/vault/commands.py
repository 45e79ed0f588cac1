"""Runs `mesh-trust vault ...`, and sees that no secret is in what it prints."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lab.directory import CHECKOUT


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it printed."""

    exit_code: int
    """Negative: the signal that has ended it."""
    output: str
    errors: str

    @property
    def printed(self) -> str:
        return self.output + self.errors

    @cached_property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.output)
        return document


@dataclass
class VaultCommand:
    """The command, in a process of its own for each run."""

    folder: Path
    _forking: subprocess.Popen[str]
    secrets: set[str] = field(default_factory=set)
    """What must never be printed; a test adds what it learns."""
    process: int = 0
    """Of the run that is under way."""
    kubeconfig: Path | None = None
    """What KUBECONFIG names, if anything."""

    def start(
        self,
        *arguments: str,
        given: str = "",
        token: str | None = None,
        largest_file: int | None = None,
        folder: Path | None = None,
    ) -> None:
        """Starts a run in `folder`; `given` is its standard input, `token` VAULT_TOKEN.

        `largest_file` is the most bytes that a file may have.
        """
        (self.folder / "input").write_text(given)
        environment = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
        if token is not None:
            environment["VAULT_TOKEN"] = token
        if self.kubeconfig is not None:
            environment["KUBECONFIG"] = str(self.kubeconfig)
        asked = {
            "arguments": ["vault", *arguments],
            "environment": environment,
            "largest_file": largest_file,
            "folder": str(folder or self.folder),
            **{name: str(self.folder / name) for name in ("input", "output", "errors")},
        }
        assert self._forking.stdin is not None
        self._forking.stdin.write(json.dumps(asked) + "\n")
        self._forking.stdin.flush()
        self.process = self._number()

    def ended(self) -> Told:
        """Waits for the end of the run."""
        code = self._number()
        told = Told(code, *((self.folder / name).read_text() for name in ("output", "errors")))
        assert "Traceback" not in told.printed, told.printed
        for secret in self.secrets:
            assert secret not in told.printed
        return told

    def run(self, *arguments: str, **options: Any) -> Told:
        """Runs it to its end."""
        self.start(*arguments, **options)
        return self.ended()

    def done(self, *arguments: str, **options: Any) -> str:
        """What a run prints that ends well."""
        told = self.run(*arguments, **options)
        assert told.exit_code == 0, told.printed
        return told.output

    def learn(self, path: Path) -> dict[str, Any]:
        """The document in a file of keys, whose secrets no later run may print."""
        document: dict[str, Any] = json.loads(path.read_text())
        self.secrets.update(document["keys"], [document["root_token"]])
        return document

    def _number(self) -> int:
        assert self._forking.stdout is not None
        return int(self._forking.stdout.readline())


@contextmanager
def vault_command(folder: Path) -> Iterator[VaultCommand]:
    """The command, loaded once."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.operations.vault.forking"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forking:
        yield VaultCommand(folder, forking)
        assert forking.stdin is not None
        forking.stdin.close()


def shell(*arguments: str, environment: Mapping[str, str]) -> Told:
    """Runs the command as a shell does."""
    done = subprocess.run(
        [sys.executable, "-m", "mesh_trust.operations", "vault", *arguments],
        cwd=CHECKOUT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Told(done.returncode, done.stdout, done.stderr)
