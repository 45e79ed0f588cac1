# ruff: noqa: ARG002, N802 - names and parameters of the methods are grpc's
"""The LanguageRuntime service: messages of the engine in, answers out."""

import asyncio
import contextlib
import importlib.metadata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import language_pb2 as language
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeServicer
from pulumi.runtime.proto.plugin_pb2 import PluginInfo

from lab.plugins.language.about import about
from lab.plugins.language.dependencies import install, installed_distributions
from lab.plugins.language.errors import LanguageHostError
from lab.plugins.language.interpreter import find_interpreter
from lab.plugins.language.options import read_options
from lab.plugins.language.packages import installed_packages, required_packages
from lab.plugins.language.plugin import PLUGIN_VIRTUALENV, POLICY_PACK, run_plugin
from lab.plugins.language.processes import Processes
from lab.plugins.language.program import run_program
from lab.plugins.language.typechecking import check_types

Context = grpc.aio.ServicerContext[Any, Any]


class LanguageHost(LanguageRuntimeServicer):
    """Serves the operations that the engine needs to run programs and plugins.

    What is refused is answered with one line, under the status with which the official host
    answers all its errors.
    """

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        self._programs = Processes()
        self._processes = Processes()

    async def end(self) -> None:
        """End everything that runs."""
        await asyncio.gather(self._programs.end_all(), self._processes.end_all())

    async def Handshake(
        self, request: language.LanguageHandshakeRequest, context: Context
    ) -> language.LanguageHandshakeResponse:
        """Take over the address of an engine that did not start this host itself."""
        self._engine_address = request.engine_address
        return language.LanguageHandshakeResponse()

    async def GetPluginInfo(self, request: Empty, context: Context) -> PluginInfo:
        """The version of the SDK whose protocol is spoken."""
        return PluginInfo(version=importlib.metadata.version("pulumi"))

    async def About(
        self, request: language.AboutRequest, context: Context
    ) -> language.AboutResponse:
        """Which Python would run the program."""
        async with _refusals_to(context):
            return await about(read_options(request.info), self._processes)

    async def GetRequiredPackages(
        self, request: language.GetRequiredPackagesRequest, context: Context
    ) -> language.GetRequiredPackagesResponse:
        """The packages among the distributions that the program can import."""
        async with _refusals_to(context):
            interpreter = find_interpreter(read_options(request.info))
            installed = await installed_packages(
                interpreter, Path(request.info.program_directory), self._processes
            )
            return language.GetRequiredPackagesResponse(packages=required_packages(installed))

    async def GetProgramDependencies(
        self, request: language.GetProgramDependenciesRequest, context: Context
    ) -> language.GetProgramDependenciesResponse:
        """The distributions installed for the program."""
        async with _refusals_to(context):
            dependencies = await installed_distributions(
                find_interpreter(read_options(request.info)),
                Path(request.info.program_directory),
                self._processes,
                transitive=request.transitiveDependencies,
            )
            return language.GetProgramDependenciesResponse(dependencies=dependencies)

    async def InstallDependencies(
        self, request: language.InstallDependenciesRequest, context: Context
    ) -> AsyncIterator[language.InstallDependenciesResponse]:
        """Install what the program's requirements.txt names."""
        async with _refusals_to(context):
            default = PLUGIN_VIRTUALENV if request.is_plugin else ""
            options = read_options(request.info, default_virtualenv=default)
            async for response in install(request, options, self._processes):
                yield response

    async def Run(self, request: language.RunRequest, context: Context) -> language.RunResponse:
        """Check the program's types if it asks for that, and run it."""
        async with _refusals_to(context):
            _refuse_debugger(request.attach_debugger)
            if not self._engine_address:
                raise LanguageHostError("no engine address: send a Handshake before Run")
            options = read_options(request.info)
            interpreter = find_interpreter(options)
            if options.typechecker is not None:
                directory = Path(request.info.program_directory)
                report = await check_types(
                    options.typechecker, interpreter, directory, self._processes
                )
                print(report, end="", flush=True)
            return await run_program(request, self._engine_address, interpreter, self._programs)

    async def RunPlugin(
        self, request: language.RunPluginRequest, context: Context
    ) -> AsyncIterator[language.RunPluginResponse]:
        """Run a plugin or a policy pack, in the virtual environment it has been installed with."""
        async with _refusals_to(context):
            _refuse_debugger(request.attach_debugger)
            default = "" if request.kind == POLICY_PACK else PLUGIN_VIRTUALENV
            options = read_options(request.info, default_virtualenv=default)
            async for response in run_plugin(request, find_interpreter(options), self._processes):
                yield response

    async def Cancel(self, request: Empty, context: Context) -> Empty:
        """End the programs; plugins stay, to finish what they are at."""
        await self._programs.end_all()
        return Empty()


@contextlib.asynccontextmanager
async def _refusals_to(context: Context) -> AsyncIterator[None]:
    try:
        yield
    except LanguageHostError as error:
        await context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _refuse_debugger(attach: bool) -> None:
    if attach:
        raise LanguageHostError("attaching a debugger is not supported here")
