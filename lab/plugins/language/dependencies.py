"""Installing and listing what a program depends on, by pip."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

from packaging.utils import canonicalize_name
from pulumi.runtime.proto.language_pb2 import (
    DependencyInfo,
    InstallDependenciesRequest,
    InstallDependenciesResponse,
)

from lab.plugins.language.errors import LanguageHostError
from lab.plugins.language.interpreter import (
    Interpreter,
    find_interpreter,
    python_on_path,
    virtualenv_python,
)
from lab.plugins.language.options import RuntimeOptions
from lab.plugins.language.processes import Command, Processes, Stream
from lab.plugins.language.pyproject import buildable_package


async def install(
    request: InstallDependenciesRequest, options: RuntimeOptions, processes: Processes
) -> AsyncIterator[InstallDependenciesResponse]:
    """Make the virtual environment if it is missing, and install into it, passing on the output.

    Installed are a plugin that is a package itself, and what requirements.txt names.
    Raises `LanguageHostError` when a step fails.
    """
    if request.use_language_version_tools:
        raise LanguageHostError("language version tools (pyenv) are not supported here")
    directory = Path(request.info.program_directory)
    if options.virtualenv and not virtualenv_python(options.virtualenv).is_file():
        make = python_on_path().command(directory, "-m", "venv", str(options.virtualenv))
        async for response in _run(make, processes):
            yield response
    interpreter = find_interpreter(options)
    for arguments in _pip_installs(directory, is_plugin=request.is_plugin):
        pip = interpreter.command(directory, "-m", "pip", "install", *arguments)
        async for response in _run(pip, processes):
            yield response


async def installed_distributions(
    interpreter: Interpreter, directory: Path, processes: Processes, *, transitive: bool
) -> list[DependencyInfo]:
    """What pip finds installed; without `transitive`, only what nothing else requires."""
    selection = () if transitive else ("--not-required",)
    pip = ("-m", "pip", "--disable-pip-version-check", "list", "--format", "json")
    output = await processes.output_of(interpreter.command(directory, *pip, *selection))
    return [
        DependencyInfo(name=canonicalize_name(found["name"]), version=found["version"])
        for found in json.loads(output)
    ]


def _pip_installs(directory: Path, *, is_plugin: bool) -> list[tuple[str, ...]]:
    installs: list[tuple[str, ...]] = []
    if is_plugin and buildable_package(directory) is not None:
        installs.append((str(directory),))
    if (directory / "requirements.txt").exists():
        installs.append(("-r", "requirements.txt"))
    return installs


async def _run(
    command: Command, processes: Processes
) -> AsyncIterator[InstallDependenciesResponse]:
    async for output in processes.chunks_of(command):
        match output:
            case (Stream.STDOUT, data):
                yield InstallDependenciesResponse(stdout=data)
            case (Stream.STDERR, data):
                yield InstallDependenciesResponse(stderr=data)
            case int(exit_code) if exit_code != 0:
                raise LanguageHostError(f"`{' '.join(command.arguments)}` exited with {exit_code}")
