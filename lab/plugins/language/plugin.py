"""Running an engine plugin, or a policy pack, that is written in Python."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from pulumi.runtime.proto.language_pb2 import RunPluginRequest, RunPluginResponse

from lab.plugins.language.errors import LanguageHostError
from lab.plugins.language.interpreter import Interpreter
from lab.plugins.language.processes import Command, Processes, Stream
from lab.plugins.language.pyproject import buildable_package

POLICY_PACK = "analyzer"
"""How the engine calls the kind of plugin that a policy pack is."""

# Where the official host keeps the environment of a plugin that names none.
PLUGIN_VIRTUALENV = "venv"


async def run_plugin(
    request: RunPluginRequest, interpreter: Interpreter, processes: Processes
) -> AsyncIterator[RunPluginResponse]:
    """Run a plugin until it ends, passing on its output and at the end its exit code.

    Raises `LanguageHostError` for a folder that holds no plugin.
    """
    async for output in processes.chunks_of(plugin_command(request, interpreter)):
        match output:
            case (Stream.STDOUT, data):
                yield RunPluginResponse(stdout=data)
            case (Stream.STDERR, data):
                yield RunPluginResponse(stderr=data)
            case int(exit_code):
                yield RunPluginResponse(exitcode=exit_code)


def plugin_command(request: RunPluginRequest, interpreter: Interpreter) -> Command:
    """The command that runs a plugin: its `__main__.py`, or the installed package it is.

    Raises `LanguageHostError` for a folder that is neither.
    """
    directory = Path(request.info.program_directory)
    variables = dict(variable.split("=", 1) for variable in request.env)
    if request.kind == POLICY_PACK:
        return _policy_pack_command(request, interpreter, directory, variables)
    if (directory / "__main__.py").is_file():
        start: tuple[str, ...] = (str(directory),)
    elif package := buildable_package(directory):
        start = ("-m", "pulumi.run.plugin", package)
    else:
        raise LanguageHostError(
            f"{directory} is no Python plugin: it has neither a __main__.py nor a pyproject.toml "
            "of a package that can be built"
        )
    return interpreter.command(Path(request.pwd), *start, *request.args, variables=variables)


def _policy_pack_command(
    request: RunPluginRequest,
    interpreter: Interpreter,
    directory: Path,
    variables: Mapping[str, str],
) -> Command:
    """The command that runs a policy pack, in its own folder, which comes last.

    The official host puts itself between engine and pack, and waits with the pack until the engine
    has told the stack's configuration; this one does not, so `pulumi.Config` is empty in a pack.
    """
    if not (directory / "__main__.py").is_file():
        raise LanguageHostError(f"{directory} is no Python policy pack: it has no __main__.py")
    start = ("-u", "-m", "pulumi.policy", *request.args, str(directory))
    return interpreter.command(directory, *start, variables=variables)
