"""A Vault, an engine, and somebody's own program that uses the components."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.toolchain import Toolchain
from tests.commands import run_command
from tests.engine import own_program_environment, prepare_engine
from tests.printed import run_as_printed
from tests.private_vault import PrivateVault, vault

__all__ = ["vault"]

STACK = "own"
_KILL_SECONDS = 60
_SOURCE = Path(__file__).with_name("own_program")


@dataclass
class OwnProgram:
    """The program in a folder of its own, with its stack, on a Vault."""

    folder: Path
    environment: dict[str, str]
    settings: dict[str, Any] = field(default_factory=dict)
    """What a test varies."""

    @classmethod
    def of(cls, source: Path, folder: Path, environment: Mapping[str, str]) -> "OwnProgram":
        """A copy of the program in `source`, in `folder`, with an empty stack."""
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
        program = cls(folder, dict(environment))
        program.run("stack", "init")
        return program

    def attempt(self, *arguments: str) -> tuple[int, str]:
        """Runs the engine; gives the exit code, and all that was printed."""
        done = run_command(
            ["pulumi", *arguments, "--stack", STACK, "--non-interactive"],
            self.folder,
            self._environment(),
        )
        return done.returncode, done.stdout

    def kill_when(self, condition: Callable[[], bool]) -> None:
        """Starts an update, and kills its engine hard once the condition holds."""
        with subprocess.Popen(
            ["pulumi", "up", "--yes", "--skip-preview", "--stack", STACK, "--non-interactive"],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as engine:
            deadline = time.monotonic() + _KILL_SECONDS
            while not condition():
                assert time.monotonic() < deadline
                assert engine.poll() is None, "the update has ended by itself"
            engine.kill()
        self._mend_state()
        self.run("cancel", "--yes")

    def _mend_state(self) -> None:
        """Takes away what the engine was killed while writing: notes beside the state's file.

        The file itself it replaces as a whole, but not these, and then cannot read the state.
        """
        backend = Path(self.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
        for notes in (backend / ".pulumi").rglob("*.attrs"):
            if not notes.read_text():
                notes.unlink()

    def run(self, *arguments: str) -> str:
        """Runs the engine, which has to succeed; gives what it printed."""
        exit_code, output = self.attempt(*arguments)
        assert exit_code == 0, f"{arguments}\n{output}"
        return output

    def up(self) -> str:
        return self.run("up", "--yes", "--skip-preview")

    def obey(self, command: str) -> None:
        """Runs a command that the program has printed, in the program's folder."""
        run_as_printed(command, self.folder, self._environment())

    def urns(self) -> dict[str, str]:
        """URNs of what is in the state, by name."""
        resources = json.loads(self.run("stack", "export"))["deployment"]["resources"]
        return {each["urn"].rsplit("::", 1)[-1]: each["urn"] for each in resources}

    def forget(self, *names: str) -> None:
        """Takes resources out of the state, with what depends on them.

        That is what is left of a creation whose answer was lost.
        """
        urns = self.urns()
        for name in names:
            self.run("state", "delete", urns[name], "--yes", "--target-dependents")

    def _environment(self) -> dict[str, str]:
        return {**self.environment, "OWN_PROGRAM": json.dumps(self.settings)}


@pytest.fixture(scope="session")
def own_environment(
    toolchain: Toolchain, vault: PrivateVault, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Environment variables for an engine with the tool chain's plugins, on the Vault."""
    engine = prepare_engine(tmp_path_factory.mktemp("engine"), toolchain)
    return {
        **own_program_environment(engine),
        "VAULT_ADDR": vault.address,
        "VAULT_TOKEN": vault.token,
    }


@pytest.fixture
def own(own_environment: dict[str, str], tmp_path: Path) -> Iterator[OwnProgram]:
    """The program with an empty stack; what it makes is destroyed after the test."""
    program = OwnProgram.of(_SOURCE, tmp_path / "program", own_environment)
    yield program
    program.settings = {}
    program.environment = dict(own_environment)
    program.run("destroy", "--yes", "--skip-preview")
    program.run("stack", "rm", "--yes", "--force")
