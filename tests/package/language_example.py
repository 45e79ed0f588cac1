"""An example in another language, driven as its reader does, with a private Vault."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from lab.directory import CHECKOUT, LabDirectory
from lab.toolchain import prepare
from tests.commands import run_command
from tests.private_vault import PrivateVault


@dataclass(frozen=True)
class LanguageExample:
    """A copy of the example; its stack is `test`."""

    folder: Path
    engine: LabDirectory
    environment: Mapping[str, str]

    def attempt(self, *arguments: str) -> tuple[int, str]:
        """Runs the engine; gives the exit code, and all that it printed."""
        command: list[str | Path] = [self.engine.engine / "pulumi", *arguments]
        done = run_command([*command, "--non-interactive"], self.folder, self.environment)
        return done.returncode, done.stdout

    def run(self, *arguments: str) -> str:
        """Runs the engine, which has to succeed; gives what it printed."""
        code, printed = self.attempt(*arguments)
        assert code == 0, printed
        return printed


@contextmanager
def language_example(
    name: str,
    host: str,
    folder: Path,
    engine: LabDirectory,
    environment: Mapping[str, str],
    vault: PrivateVault,
) -> Iterator[LanguageExample]:
    """The example `name` with an empty stack, which is taken down at the end.

    It lies to the package as in the checkout.
    """
    (folder / "package").symlink_to(CHECKOUT / "package")
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    path = prepare(Console(stderr=True), [host])[host].path
    example = LanguageExample(
        shutil.copytree(
            CHECKOUT / "examples" / name,
            folder / "examples" / name,
            ignore=shutil.ignore_patterns("sdks"),
        ),
        engine,
        {
            **environment,
            "PATH": f"{path.parent}:{environment['PATH']}",
            "VAULT_ADDR": vault.address,
            "VAULT_TOKEN": vault.token,
        },
    )
    example.run("stack", "init", "test")
    yield example
    example.run("destroy", "--yes", "--skip-preview", "--remove")
