"""An engine that has the tool chain's plugins, and what they say of themselves."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from pulumi import automation

from lab.directory import LabDirectory
from lab.pulumi_home import prepare_home
from lab.toolchain import Toolchain
from tests.conformance.bridged.sdk import Shape, shapes_of_schema

Program = Callable[[], None]


@pytest.fixture(scope="session")
def engine(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> LabDirectory:
    """A directory with an engine and its plugins, and nothing running in it."""
    directory = LabDirectory(tmp_path_factory.mktemp("engine"))
    prepare_home(directory, toolchain)
    directory.pulumi_state.mkdir()
    return directory


@pytest.fixture(scope="session")
def command(
    engine: LabDirectory, tmp_path_factory: pytest.TempPathFactory
) -> automation.PulumiCommand:
    """The engine where the Automation API looks for it: in a folder `bin`."""
    root = tmp_path_factory.mktemp("command")
    (root / "bin").symlink_to(engine.engine)
    return automation.PulumiCommand(str(root))


@pytest.fixture(scope="session")
def served(toolchain: Toolchain, engine: LabDirectory) -> Callable[[str], dict[str, Shape]]:
    """The resource types that a plugin serves to the engine, by token."""

    def read_schema(plugin: str) -> dict[str, Shape]:
        tool = toolchain[f"pulumi-resource-{plugin}"]
        executable = tool.path / tool.name if tool.path.is_dir() else tool.path
        answer = subprocess.run(
            [engine.engine / "pulumi", "package", "get-schema", executable],
            env=_environment(engine),
            capture_output=True,
            text=True,
            check=True,
        )
        return shapes_of_schema(json.loads(answer.stdout))

    return read_schema


@contextmanager
def _stack(
    engine: LabDirectory, command: automation.PulumiCommand, name: str, program: Program
) -> Iterator[automation.Stack]:
    stack = automation.create_stack(
        name,
        project_name="bridged",
        program=program,
        opts=automation.LocalWorkspaceOptions(
            pulumi_command=command,
            env_vars=_environment(engine),
        ),
    )
    yield stack
    stack.destroy()
    stack.workspace.remove_stack(name)


@pytest.fixture
def stack_of(
    engine: LabDirectory, command: automation.PulumiCommand, request: pytest.FixtureRequest
) -> Iterator[Callable[[Program], automation.Stack]]:
    """Makes a stack of a program; it is destroyed after the test."""
    with ExitStack() as stacks:
        yield lambda program: stacks.enter_context(
            _stack(engine, command, request.node.name, program)
        )


def _environment(engine: LabDirectory) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join((str(engine.engine), os.environ["PATH"])),
        "HOME": str(engine.root),
        "PULUMI_HOME": str(engine.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{engine.pulumi_state}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(engine.passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
