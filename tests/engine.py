"""The real engine with the tool chain's plugins, and stacks of programs that tests are made of."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pulumi import automation

from lab.directory import CHECKOUT, LabDirectory
from lab.pulumi_home import prepare_home
from lab.toolchain import Toolchain

Program = Callable[[], None]
StackOf = Callable[[Program], automation.Stack]

_PROGRAM_SECONDS = 30


def prepare_engine(folder: Path, toolchain: Toolchain) -> LabDirectory:
    """A directory with an engine and its plugins, and nothing running in it."""
    directory = LabDirectory(folder)
    prepare_home(directory, toolchain)
    directory.pulumi_state.mkdir()
    return directory


@pytest.fixture(scope="session")
def engine(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> LabDirectory:
    """One for all tests of the folder whose conftest.py takes this."""
    return prepare_engine(tmp_path_factory.mktemp("engine"), toolchain)


def engine_command(engine: LabDirectory, folder: Path) -> automation.PulumiCommand:
    """The engine where the Automation API looks for it: in a folder `bin`."""
    (folder / "bin").symlink_to(engine.engine)
    return automation.PulumiCommand(str(folder))


def engine_environment(engine: LabDirectory) -> dict[str, str]:
    """Environment variables with which `pulumi` works in that directory only."""
    return {
        "PATH": os.pathsep.join((str(engine.engine), os.environ["PATH"])),
        "HOME": str(engine.root),
        "PULUMI_HOME": str(engine.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{engine.pulumi_state}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(engine.passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def own_program_environment(engine: LabDirectory) -> dict[str, str]:
    """The same for a program of a folder, which is run by this very Python."""
    environment = engine_environment(engine)
    path = os.pathsep.join(
        (str(engine.engine), str(Path(sys.executable).parent), os.environ["PATH"])
    )
    return {**environment, "PATH": path, "CHECKOUT": str(CHECKOUT)}


@contextmanager
def stack_of_program(
    engine: LabDirectory,
    command: automation.PulumiCommand,
    project: str,
    name: str,
    program: Program,
) -> Iterator[automation.Stack]:
    """A stack of a program for as long as the context lasts; it is destroyed then.

    The Automation API leaves the event loop of a failed program open, and what ran in it unended,
    where the engine is gone or something fails as it is cancelled. Collected in the middle of
    another test, these would fail that.
    """
    loops: list[asyncio.AbstractEventLoop] = []

    def watched() -> None:
        loops.append(asyncio.get_running_loop())
        program()

    stack = automation.create_stack(
        name,
        project_name=project,
        program=watched,
        opts=automation.LocalWorkspaceOptions(
            pulumi_command=command,
            env_vars=engine_environment(engine),
        ),
    )
    try:
        yield stack
        stack.destroy()
        stack.workspace.remove_stack(name)
    finally:
        for loop in loops:
            _end(loop)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    # The thread of a program may survive the engine that it was run for.
    deadline = time.monotonic() + _PROGRAM_SECONDS
    while loop.is_running():
        assert time.monotonic() < deadline, "the program does not end"
        time.sleep(0.05)
    if loop.is_closed():
        return
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()

    async def ended() -> None:
        await asyncio.gather(*tasks, return_exceptions=True)

    # That of the Automation API stops the loop at each call that the engine does not answer.
    loop.set_exception_handler(lambda *_: None)
    loop.run_until_complete(ended())
    loop.close()
