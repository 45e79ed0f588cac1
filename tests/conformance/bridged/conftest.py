"""An engine that has the tool chain's plugins, and what they say of themselves."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from pulumi import automation

from lab.directory import LabDirectory
from lab.toolchain import Toolchain
from tests.conformance.bridged.sdk import Shape, shapes_of_schema
from tests.engine import (
    StackOf,
    engine,
    engine_command,
    engine_environment,
    stack_of_program,
)

__all__ = ["engine"]


@pytest.fixture(scope="session")
def command(
    engine: LabDirectory, tmp_path_factory: pytest.TempPathFactory
) -> automation.PulumiCommand:
    """The engine where the Automation API looks for it."""
    return engine_command(engine, tmp_path_factory.mktemp("command"))


@pytest.fixture(scope="session")
def served(toolchain: Toolchain, engine: LabDirectory) -> Callable[[str], dict[str, Shape]]:
    """The resource types that a plugin serves to the engine, by token."""

    def read_schema(plugin: str) -> dict[str, Shape]:
        tool = toolchain[f"pulumi-resource-{plugin}"]
        executable = tool.path / tool.name if tool.path.is_dir() else tool.path
        answer = subprocess.run(
            [engine.engine / "pulumi", "package", "get-schema", executable],
            env=engine_environment(engine),
            capture_output=True,
            text=True,
            check=True,
        )
        return shapes_of_schema(json.loads(answer.stdout))

    return read_schema


@pytest.fixture
def stack_of(
    engine: LabDirectory, command: automation.PulumiCommand, request: pytest.FixtureRequest
) -> Iterator[StackOf]:
    """Makes a stack of a program; it is destroyed after the test."""
    with ExitStack() as stacks:
        yield lambda program: stacks.enter_context(
            stack_of_program(engine, command, "bridged", request.node.name, program)
        )
