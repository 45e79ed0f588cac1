"""Running a Pulumi program."""

import json
from pathlib import Path

from pulumi.runtime.proto.language_pb2 import RunRequest, RunResponse

from lab.plugins.language.inside import execute
from lab.plugins.language.interpreter import Interpreter
from lab.plugins.language.processes import Command, Processes


async def run_program(
    request: RunRequest, engine_address: str, interpreter: Interpreter, processes: Processes
) -> RunResponse:
    """Run the program of a request to its end, its output going to the host's own."""
    command = program_command(request, engine_address, interpreter)
    async with processes.started(command) as process:
        exit_code = await process.wait()
    if exit_code == execute.EXIT_REPORTED:
        return RunResponse(bail=True)
    if exit_code < 0:
        return RunResponse(error=f"program was ended by signal {-exit_code}")
    if exit_code > 0:
        return RunResponse(error=f"program exited with non-zero exit code: {exit_code}")
    return RunResponse()


def program_command(request: RunRequest, engine_address: str, interpreter: Interpreter) -> Command:
    """The command that runs the program of a request.

    Configuration, which may be secret, is in the environment and not among the arguments.
    """
    settings = (
        f"--monitor={request.monitor_address}",
        f"--engine={engine_address}",
        f"--project={request.project}",
        f"--stack={request.stack}",
        f"--organization={request.organization}",
        f"--root-directory={request.info.root_directory}",
        f"--parallel={request.parallel}",
        *(["--dry-run"] if request.dryRun else []),
    )
    configuration = {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }
    return interpreter.command(
        Path(request.pwd),
        execute.__file__,
        *settings,
        request.info.entry_point,
        *request.args,
        variables=configuration,
    )
